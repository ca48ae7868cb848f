// What is answered over plain HTTP: pages, health, metrics.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "gateway/admission.h"
#include "gateway/config/limits.h"
#include "gateway/history_view.h"
#include "proto/http/request.h"
#include "proto/http/response.h"

namespace sluice {

// The instance in numbers.
struct InstanceFigures {
  std::string_view id;  // of this start
  std::string_view version;
  std::uint64_t sessions = 0;
  std::uint64_t users = 0;
  std::uint64_t subscriptions = 0;
  std::uint64_t channels = 0;
  std::uint64_t uptime_seconds = 0;
};

// What the endpoints know of the instance. Implemented by it; any shard's thread.
class InstanceView {
 public:
  virtual bool is_ready() const noexcept = 0;
  // What should be kept on disk is in memory only.
  virtual bool has_lost_storage() const noexcept { return false; }
  virtual std::string metrics() const = 0;
  virtual InstanceFigures figures() const = 0;
  // A shard other than `but` that has fewer connections than its part of the limit, if there is
  // one.
  virtual std::optional<std::uint32_t> shard_with_room(std::uint32_t but) const noexcept = 0;

 protected:
  ~InstanceView() = default;
};

// What a request that is no WebSocket handshake asks for; outlives the request's head, except for
// `path`.
struct Asked {
  static Asked of(const http::Request& request) noexcept;
  // The answer shows what was said in the group chat.
  bool wants_history() const noexcept;

  std::string_view path;
  bool is_read = false;  // GET or HEAD
  bool is_head = false;
  bool is_http10 = false;
  bool is_known = true;  // the method, of the registered ones
};

// Appends the answer; returns its status. `history`: what the group chat's home answered, null when
// it was not asked. `keep_alive`: whether the connection stays open after it.
int append_answer(std::string& out, const Asked& asked, const ListenerTraits& listener,
                  const InstanceView& instance, const ChatHistory* history, bool keep_alive,
                  WallTime now);

// Appends a 503 with Retry-After, after which the connection closes.
void append_unavailable(std::string& out, const Limits& limits, WallTime now);

// Appends a short plain-text answer; `text` ends with a line break.
void append_plain(std::string& out, int status, std::string_view text, bool keep_alive,
                  bool is_head, WallTime now, std::span<const http::Field> fields = {});

}  // namespace sluice
