#include "core/backend_choice.h"

#include <utility>

#include "core/epoll/epoll_backend.h"
#include "core/uring/uring_backend.h"
#include "core/uring/uring_probe.h"

namespace sluice {
namespace {

Result<OpenBackends, UringError> open_uring(unsigned count, const Clock& clock) {
  if (const auto error = probe_uring()) return fail(*error);
  OpenBackends opened{BackendKind::kUring, "io_uring passed its self-test", {}};
  for (unsigned i = 0; i < count; ++i) {
    auto backend = UringBackend::create(clock);
    if (!backend) return fail(backend.error());
    opened.backends.push_back(std::move(*backend));
  }
  return opened;
}

Result<OpenBackends, BackendFailure> open_epoll(unsigned count, std::string reason) {
  OpenBackends opened{BackendKind::kEpoll, std::move(reason), {}};
  for (unsigned i = 0; i < count; ++i) {
    auto backend = EpollBackend::create();
    if (!backend) {
      return fail(BackendFailure{{},
                                 "epoll cannot be set up: " + backend.error().message() +
                                     "; raise the limit on open files (ulimit -n)"});
    }
    opened.backends.push_back(std::move(*backend));
  }
  return opened;
}

}  // namespace

std::string_view to_string(BackendKind kind) noexcept {
  return kind == BackendKind::kUring ? "io_uring" : "epoll";
}

Result<OpenBackends, BackendFailure> open_backends(std::optional<BackendKind> forced,
                                                   unsigned count, const Clock& clock) {
  if (forced == BackendKind::kEpoll) return open_epoll(count, "epoll was asked for");
  auto uring = open_uring(count, clock);
  if (uring) {
    if (forced) uring->reason = "io_uring was asked for and passed its self-test";
    return std::move(*uring);
  }
  const UringError& error = uring.error();
  if (!forced) return open_epoll(count, error.text());
  return fail(BackendFailure{error.why, error.text() + "; " + error.remedy()});
}

}  // namespace sluice
