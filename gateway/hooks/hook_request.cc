#include "gateway/hooks/hook_request.h"

#include <chrono>

namespace sluice {

HookOutcome outcome_of(const HttpReply& reply, int status_max) noexcept {
  switch (reply.kind) {
    case HttpReply::Kind::kAnswered:
      return reply.status >= 200 && reply.status <= status_max ? HookOutcome::kAllowed
                                                               : HookOutcome::kStatus;
    case HttpReply::Kind::kTimeout:
      return reply.is_sent ? HookOutcome::kTimeout : HookOutcome::kUnconnected;
    case HttpReply::Kind::kUnconnected:
      return HookOutcome::kUnconnected;
    case HttpReply::Kind::kUnreachable:
      return HookOutcome::kUnreachable;
    case HttpReply::Kind::kTooLong:
      return HookOutcome::kTooLong;
    case HttpReply::Kind::kGarbled:
      break;
  }
  return HookOutcome::kInvalid;
}

Duration draw_pause(Random& random, Duration longest) noexcept {
  const auto half = static_cast<std::uint64_t>(longest.count() / 2);
  return longest / 2 + Duration(static_cast<std::int64_t>(random.below(half + 1)));
}

void append_signature(std::string& fields, hooks::Signer& signer, const Reactor& reactor,
                      std::string_view body) {
  const auto now = reactor.clock().wall_now().time_since_epoch();
  signer.append_field(fields, std::chrono::floor<std::chrono::seconds>(now).count(), body);
}

}  // namespace sluice
