#include "gateway/access_log.h"

#include <chrono>

namespace sluice {
namespace {

constexpr Duration kSecond = std::chrono::seconds(1);
constexpr std::string_view kUnread = "-";

}  // namespace

AccessLog::AccessLog(const Logger& log, TimerWheel& timers, Counter& held_back, std::uint32_t shard,
                     std::size_t lines_per_second)
    : log_(log),
      timers_(timers),
      held_back_total_(held_back),
      shard_(shard),
      batch_(log),
      admitted_(lines_per_second, Time::min()),
      timer_([](void* owner, Time) noexcept { static_cast<AccessLog*>(owner)->say_held_back(); },
             this) {}

void AccessLog::add(Time now, const SocketAddress& peer, const http::Request* request, int status,
                    std::string_view outcome) noexcept {
  if (!log_.is_on(LogLevel::kInfo)) return;
  if (!admit(now)) {
    held_back_total_.add();
    if (held_back_++ == 0) timers_.arm(timer_, now + kSecond);
    return;
  }
  const bool is_read = request != nullptr;
  batch_.add(LogLevel::kInfo, "request",
             {{"peer", peer.to_string()},
              {"method", is_read ? request->method() : kUnread},
              {"path", is_read ? request->path() : kUnread},
              {"status", status},
              {"outcome", outcome},
              {"agent", is_read ? request->find("User-Agent").value_or("") : kUnread}});
}

bool AccessLog::admit(Time now) noexcept {
  if (admitted_.empty() || now < admitted_[oldest_] + kSecond) return false;
  admitted_[oldest_] = now;
  oldest_ = (oldest_ + 1) % admitted_.size();
  return true;
}

void AccessLog::say_held_back() noexcept {
  if (held_back_ == 0) return;
  batch_.add(LogLevel::kInfo, "requests held back", {{"count", held_back_}, {"shard", shard_}});
  held_back_ = 0;
}

void AccessLog::close() noexcept {
  timer_.cancel();
  say_held_back();
  flush();
}

}  // namespace sluice
