// What the operator wants of hooks: which of them the application server has, and their bounds.
//
// Plain data, constant once an instance runs. A hook without a URL is off.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "gateway/dialect_kind.h"
#include "gateway/hooks/hook_kind.h"
#include "gateway/http_client.h"

namespace sluice {

struct HookSettings {
  std::array<std::string, kHookKinds> urls;
  std::vector<DialectKind> connect_for = {DialectKind::kCentrifuge};
  std::vector<std::string> headers;  // of a handshake, that are passed on
  std::vector<std::string> secret_files;

  // Questions. Bounds are those of the instance, for each hook -> refused at once.
  Duration timeout = std::chrono::seconds(1);  // with all tries -> refused
  std::size_t concurrency = 256;               // under way
  std::size_t queue = 1024;                    // that wait for one of these to be answered
  std::size_t question_bytes = 16 * 1024 * 1024;
  std::size_t reply_bytes = 64 * 1024;  // header included -> refused

  // Events. Bounds are those of the instance -> the oldest is lost.
  std::size_t events_queue = 10'000;
  std::size_t events_bytes = 16 * 1024 * 1024;
  Duration events_age = std::chrono::minutes(10);  // -> lost
  std::size_t delivery_events = 100;
  Duration delivery_timeout = std::chrono::seconds(5);      // of one try
  Duration backoff_least = std::chrono::milliseconds(200);  // behind the first try
  Duration backoff_most = std::chrono::seconds(30);         // doubled up to that

  bool has(HookKind kind) const noexcept { return !urls[static_cast<std::size_t>(kind)].empty(); }
  bool has_any() const noexcept {
    for (const std::string& url : urls) {
      if (!url.empty()) return true;
    }
    return false;
  }
  // Whether the application server is asked about a client of this dialect that has no token.
  bool asks_about(DialectKind dialect) const noexcept {
    if (!has(HookKind::kConnect)) return false;
    for (const DialectKind one : connect_for) {
      if (one == dialect) return true;
    }
    return false;
  }
};

// What an instance with hooks is given.
struct HookSetup {
  HookSettings settings;
  std::vector<std::string> secrets;                   // none: nothing is signed
  std::array<HttpClientFactory, kHookKinds> clients;  // of those that have a URL
};

}  // namespace sluice
