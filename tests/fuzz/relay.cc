// Messages of the relay: who it is from and who it is for.
#include "proto/dialect/relay.h"

#include <string>

#include "core/base/check.h"
#include "proto/ws/utf8.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/json_judge.h"

namespace sluice::fuzz {
namespace {

// An id survives as a channel's name, and that name can be no client's text.
void check_id(const UserId& id) {
  UserId back;
  SLUICE_CHECK(back.restore(id.channel()) && back == id);
  SLUICE_CHECK(id.channel().front() == kReservedPrefix);
  SLUICE_CHECK(id.channel().size() <= UserId::kBytesMax && !id.text().empty());
  SLUICE_CHECK(ws::is_valid_utf8(as_bytes(id.text())));
}

}  // namespace

void relay(ConstBytes input) {
  const ExactCopy copy(input);
  UserId restored;
  if (restored.restore(copy.text())) SLUICE_CHECK(restored.channel() == copy.text());
  if (!ws::is_valid_utf8(copy.bytes())) return;
  const auto command = dialect::parse_relay(copy.text());
  check_acceptance(copy.text(), command ? std::nullopt : std::optional(command.error().code));
  if (!command || command->kind == dialect::RelayCommand::Kind::kIgnored) return;
  if (command->kind == dialect::RelayCommand::Kind::kSend) check_id(command->to);
  if (command->kind == dialect::RelayCommand::Kind::kAccept) SLUICE_CHECK(!command->own.is_empty());
  if (!command->own.is_empty()) check_id(command->own);
}

}  // namespace sluice::fuzz
