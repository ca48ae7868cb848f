#include "tests/proto/api/request_text.h"

namespace sluice::api {
namespace {

class Line {
 public:
  void text(std::string_view name, std::string_view value) {
    if (!value.empty()) add(name, value);
  }
  void flag(std::string_view name, bool value) {
    if (value) add(name, "yes");
  }
  void flag(std::string_view name, std::optional<bool> value) {
    if (value) add(name, *value ? "yes" : "no");
  }
  void number(std::string_view name, std::int64_t value) {
    if (value != 0) add(name, std::to_string(value));
  }
  void user(const UserId& user) {
    if (!user.is_empty()) {
      add("user", std::string(user.channel().substr(1, 1)) + ":" + std::string(user.text()));
    }
  }
  void data(std::string_view name, const Data& data) {
    const std::string bytes(data.bytes);
    if (data.is_binary || !bytes.empty()) add(name, data.is_binary ? "<" + bytes + ">" : bytes);
  }
  void list(std::string_view name, std::span<const std::string_view> texts) {
    std::string all;
    for (const auto text : texts) all.append(all.empty() ? "" : ",").append(text);
    text(name, all);
  }
  void position(const std::optional<Position>& position) {
    if (position)
      add("since", std::to_string(position->offset) + "@" + std::string(position->epoch));
  }
  void message(const Message& message) {
    data("data", message.data);
    std::string tags;
    for (const Tag& tag : message.tags) {
      tags.append(tags.empty() ? "" : ",").append(tag.name).append("=").append(tag.value);
    }
    text("tags", tags);
    text("idempotency_key", message.idempotency_key);
    text("key", message.key);
    flag("skip_history", message.skip_history);
    flag("sync", message.sync);
  }
  void selection(const Selection& who) {
    user(who.user);
    text("client", who.client);
    text("session", who.session);
  }
  std::string take() { return std::move(line_); }

 private:
  void add(std::string_view name, std::string_view value) {
    line_.append(line_.empty() ? "" : " ").append(name).append("=").append(value);
  }

  std::string line_;
};

void say(Line& line, const Publish& request) {
  line.text("to", request.channel);
  line.user(request.user);
  line.message(request.message);
}
void say(Line& line, const Broadcast& request) {
  line.list("to", request.channels);
  line.message(request.message);
}
void say(Line& line, const Subscribe& request) {
  line.selection(request.who);
  line.text("channel", request.channel);
  line.data("info", request.info);
  line.data("data", request.data);
  line.number("expire_at", static_cast<std::int64_t>(request.expire_at));
  line.position(request.recover_since);
  line.flag("presence", request.overrides.presence);
  line.flag("join_leave", request.overrides.join_leave);
  line.flag("force_push_join_leave", request.overrides.force_push_join_leave);
}
void say(Line& line, const Unsubscribe& request) {
  line.selection(request.who);
  line.text("channel", request.channel);
}
void say(Line& line, const Disconnect& request) {
  line.selection(request.who);
  line.list("whitelist", request.whitelist);
  line.number("code", request.code);
  line.text("reason", request.reason);
}
void say(Line& line, const Refresh& request) {
  line.selection(request.who);
  line.flag("expired", request.is_expired);
  line.number("expire_at", static_cast<std::int64_t>(request.expire_at));
  line.data("info", request.info);
}
void say(Line& line, const History& request) {
  line.text("channel", request.channel);
  line.number("limit", request.limit);
  line.position(request.since);
  line.flag("reverse", request.reverse);
}
void say(Line& line, const Presence& request) { line.text("channel", request.channel); }
void say(Line& line, const PresenceStats& request) { line.text("channel", request.channel); }
void say(Line& line, const HistoryRemove& request) { line.text("channel", request.channel); }
void say(Line& line, const Channels& request) { line.text("pattern", request.pattern); }
void say(Line&, const Info&) {}
void say(Line& line, const ListConnections& request) { line.user(request.user); }
void say(Line& line, const Batch& request) {
  line.text("commands", request.commands);
  line.number("count", static_cast<std::int64_t>(request.count));
  line.flag("parallel", request.is_parallel);
}

}  // namespace

std::string said(const Request& request) {
  Line line;
  std::visit([&](const auto& one) { say(line, one); }, request);
  return line.take();
}

std::string said(RequestParser& parser, Method method, std::string_view body) {
  const auto request = parser.parse(method, body);
  if (request) {
    const bool is_right = request->index() == static_cast<std::size_t>(method);
    return is_right ? said(*request) : "a request of another method";
  }
  const Refusal& refusal = request.error();
  if (refusal.code != ErrorCode::kBadRequest || refusal.detail.empty()) return "another error";
  return "!" + std::string(refusal.member) + " " + std::string(refusal.detail) +
         (refusal.is_malformed ? "!" : "");
}

}  // namespace sluice::api
