// Which way to the kernel this machine offers, and why.
//
// Asked once at start. io_uring where it works, epoll otherwise; where the operator insists on
// io_uring, its absence is an error with a remedy, not a silent fallback.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/backend.h"
#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/uring/uring_error.h"

namespace sluice {

enum class BackendKind : std::uint8_t { kUring, kEpoll };

// "io_uring" or "epoll": as in --backend and in Backend::name.
std::string_view to_string(BackendKind kind) noexcept;

struct OpenBackends {
  BackendKind kind = BackendKind::kEpoll;
  // One clause for the log, such as "io_uring is blocked by a seccomp filter (io_uring_setup:
  // EPERM)".
  std::string reason;
  std::vector<std::unique_ptr<Backend>> backends;  // as many as asked, none attached
};

struct BackendFailure {
  std::optional<UringFailure> why;  // empty if epoll failed
  std::string text;                 // one line: what is wrong; what to do
};

// Backends of one kind for `count` shards. `forced` empty: io_uring if its self-test passes and all
// of them can be had, else epoll. Any thread, before the shards' threads start; each Backend is
// bound to its thread by `attach`. `clock` must outlive them.
Result<OpenBackends, BackendFailure> open_backends(std::optional<BackendKind> forced,
                                                   unsigned count, const Clock& clock);

}  // namespace sluice
