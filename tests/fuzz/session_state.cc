// Saved sessions: bytes from another process are a session that can be saved again as it was, or
// are refused.
#include "gateway/session_state.h"

#include <string>

#include "core/base/check.h"
#include "proto/ws/inflate.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/proto/ws/test_buffers.h"

namespace sluice::fuzz {

void session_state(ConstBytes input) {
  constexpr Time kNow{std::chrono::hours(5)};
  const ExactCopy copy(input);
  test::TestBuffers buffers;
  ws::InflatorPool inflators(buffers, buffers);
  const ws::ReaderContext context{ws::Role::kServer,
                                  {.max_message = 4096, .max_fragments = 16},
                                  Simd::detect(),
                                  &buffers,
                                  &inflators};
  ConstBytes left = copy.bytes();
  const auto state = SessionState::load(context, kNow, left);
  if (!state) {
    SLUICE_CHECK(!state.error().empty());
    return;
  }
  std::vector<std::byte> saved;
  state->save(saved, kNow);
  ConstBytes again = saved;
  const auto same = SessionState::load(context, kNow, again);
  SLUICE_CHECK(same && again.empty());
  std::vector<std::byte> saved_again;
  same->save(saved_again, kNow);
  SLUICE_CHECK(saved_again == saved);
}

}  // namespace sluice::fuzz
