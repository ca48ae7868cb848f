#include "proto/centrifuge/reply.h"

#include <charconv>
#include <concepts>

#include "core/base/bytes.h"
#include "proto/json/scan.h"
#include "proto/json/text.h"
#include "proto/ws/utf8.h"

namespace sluice::centrifuge {
namespace {

template <std::integral T>
void append_number(std::string& out, T value) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  out.append(digits, end);
}

void append_json(std::string& out, std::string_view raw) {
  for (;;) {
    const std::size_t line_break = raw.find_first_of("\r\n");
    out.append(raw.substr(0, line_break));
    if (line_break == std::string_view::npos) return;
    raw.remove_prefix(line_break + 1);
  }
}

// Writes the members of one object, its braces included. The plain functions leave a default out.
class Object {
 public:
  explicit Object(std::string& out) : out_(out) { out_ += '{'; }
  ~Object() { out_ += '}'; }
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;

  // Begins a member whose value the caller appends. Names are ours and need no escapes.
  std::string& begin(std::string_view name) {
    begin_name() += '"';
    out_.append(name).append("\":");
    return out_;
  }
  // The same for a name that somebody chose.
  std::string& begin_any(std::string_view name) {
    json::append_string(begin_name(), name);
    out_ += ':';
    return out_;
  }
  void text(std::string_view name, std::string_view value) {
    if (!value.empty()) json::append_string(begin(name), value);
  }
  template <std::integral T>
  void number(std::string_view name, T value) {
    if (value != 0) append_number(begin(name), value);
  }
  void boolean(std::string_view name, bool value) {
    if (value) begin(name) += "true";
  }
  void raw(std::string_view name, std::string_view value) {
    if (!value.empty()) append_json(begin(name), value);
  }

 private:
  std::string& begin_name() {
    if (!is_first_) out_ += ',';
    is_first_ = false;
    return out_;
  }

  std::string& out_;
  bool is_first_ = true;
};

void append(std::string& out, const ClientInfo& info) {
  Object object(out);
  json::append_string(object.begin("user"), info.user);
  json::append_string(object.begin("client"), info.client);
  object.raw("conn_info", info.conn_info);
  object.raw("chan_info", info.chan_info);
}

void append(std::string& out, const Publication& publication) {
  Object object(out);
  object.raw("data", publication.data);
  object.raw("info", publication.info);
  object.number("offset", publication.offset);
  object.raw("tags", publication.tags);
  object.text("epoch", publication.epoch);
}

void append(std::string& out, std::span<const Publication> publications) {
  out += '[';
  for (const Publication& publication : publications) {
    if (&publication != publications.data()) out += ',';
    append(out, publication);
  }
  out += ']';
}

void append(std::string& out, const Error& error) {
  Object object(out);
  append_number(object.begin("code"), error.code);
  json::append_string(object.begin("message"), error.message);
  object.boolean("temporary", error.is_temporary);
}

void append(std::string& out, const SubscribeResult& result) {
  Object object(out);
  object.boolean("expires", result.expires);
  object.number("ttl", result.ttl);
  object.boolean("recoverable", result.recoverable);
  object.text("epoch", result.epoch);
  if (!result.publications.empty()) append(object.begin("publications"), result.publications);
  object.boolean("recovered", result.recovered);
  object.number("offset", result.offset);
  object.boolean("positioned", result.positioned);
  object.raw("data", result.data);
  object.boolean("was_recovering", result.was_recovering);
}

void append(std::string& out, std::span<const ServerSubscription> subs) {
  Object object(out);
  for (const ServerSubscription& sub : subs) append_json(object.begin_any(sub.channel), sub.result);
}

void append(std::string& out, const ConnectResult& result) {
  Object object(out);
  object.text("client", result.client);
  object.text("version", result.version);
  object.boolean("expires", result.expires);
  object.number("ttl", result.ttl);
  object.raw("data", result.data);
  if (!result.subs.empty()) append(object.begin("subs"), result.subs);
  object.number("ping", result.ping);
  object.boolean("pong", result.pong);
}

void append(std::string& out, const UnsubscribeResult&) { out += "{}"; }
void append(std::string& out, const PublishResult&) { out += "{}"; }

void append(std::string& out, const PresenceResult& result) {
  Object object(out);
  Object clients(object.begin("presence"));
  for (const ClientInfo& info : result.clients) append(clients.begin_any(info.client), info);
}

void append(std::string& out, const PresenceStatsResult& result) {
  Object object(out);
  append_number(object.begin("num_clients"), result.clients);
  append_number(object.begin("num_users"), result.users);
}

void append(std::string& out, const HistoryResult& result) {
  Object object(out);
  append(object.begin("publications"), result.publications);
  json::append_string(object.begin("epoch"), result.epoch);
  append_number(object.begin("offset"), result.offset);
}

void append(std::string& out, const RpcResult& result) {
  Object object(out);
  object.raw("data", result.data);
}

void append_lifetime(std::string& out, bool expires, std::uint32_t ttl) {
  Object object(out);
  object.boolean("expires", expires);
  object.number("ttl", ttl);
}
void append(std::string& out, const RefreshResult& result) {
  append_lifetime(out, result.expires, result.ttl);
}
void append(std::string& out, const SubRefreshResult& result) {
  append_lifetime(out, result.expires, result.ttl);
}

void append(std::string& out, const SubscribePush& push) {
  Object object(out);
  object.boolean("recoverable", push.recoverable);
  object.text("epoch", push.epoch);
  object.number("offset", push.offset);
  object.boolean("positioned", push.positioned);
  object.raw("data", push.data);
}

void append(std::string& out, const Unsubscribe& unsubscribe) {
  Object object(out);
  object.number("code", unsubscribe.code);
  object.text("reason", unsubscribe.reason);
}

void append(std::string& out, const Disconnect& disconnect) {
  Object object(out);
  object.number("code", disconnect.code);
  object.text("reason", disconnect.reason);
  object.boolean("reconnect", reconnects(disconnect.code));
}

template <class Result>
void reply(std::string& out, std::uint32_t id, std::string_view name, const Result& result) {
  Object object(out);
  object.number("id", id);
  append(object.begin(name), result);
}

template <class What>
void push(std::string& out, std::string_view channel, std::string_view name, const What& what) {
  Object object(out);
  Object body(object.begin("push"));
  body.text("channel", channel);
  append(body.begin(name), what);
}

struct Info {
  const ClientInfo& info;
};
void append(std::string& out, const Info& info) {
  Object object(out);
  append(object.begin("info"), info.info);
}

struct Message {
  std::string_view data;
};
void append(std::string& out, const Message& message) {
  Object object(out);
  object.raw("data", message.data);
}

}  // namespace

bool is_json_value(std::string_view bytes) noexcept {
  return ws::is_valid_utf8(as_bytes(bytes)) && json::scan(bytes, {}, {}).has_value();
}

void append_reply(std::string& out, std::uint32_t id, const Error& error) {
  reply(out, id, "error", error);
}
void append_reply(std::string& out, std::uint32_t id, const ConnectResult& result) {
  reply(out, id, "connect", result);
}
void append_reply(std::string& out, std::uint32_t id, const UnsubscribeResult& result) {
  reply(out, id, "unsubscribe", result);
}
void append_reply(std::string& out, std::uint32_t id, const PublishResult& result) {
  reply(out, id, "publish", result);
}
void append_reply(std::string& out, std::uint32_t id, const PresenceResult& result) {
  reply(out, id, "presence", result);
}
void append_reply(std::string& out, std::uint32_t id, const PresenceStatsResult& result) {
  reply(out, id, "presence_stats", result);
}
void append_reply(std::string& out, std::uint32_t id, const HistoryResult& result) {
  reply(out, id, "history", result);
}
void append_reply(std::string& out, std::uint32_t id, const RpcResult& result) {
  reply(out, id, "rpc", result);
}
void append_reply(std::string& out, std::uint32_t id, const RefreshResult& result) {
  reply(out, id, "refresh", result);
}
void append_reply(std::string& out, std::uint32_t id, const SubRefreshResult& result) {
  reply(out, id, "sub_refresh", result);
}

void append_client_info(std::string& out, const ClientInfo& info) { append(out, info); }
void append_subscribe_result(std::string& out, const SubscribeResult& result) {
  append(out, result);
}

void append_subscribe_reply(std::string& out, std::uint32_t id, std::string_view result) {
  Object object(out);
  object.number("id", id);
  object.raw("subscribe", result);
}

void append_publication_push(std::string& out, std::string_view channel,
                             const Publication& publication) {
  push(out, channel, "pub", publication);
}
void append_join_push(std::string& out, std::string_view channel, const ClientInfo& info) {
  push(out, channel, "join", Info{info});
}
void append_leave_push(std::string& out, std::string_view channel, const ClientInfo& info) {
  push(out, channel, "leave", Info{info});
}
void append_subscribe_push(std::string& out, std::string_view channel,
                           const SubscribePush& subscribe) {
  push(out, channel, "subscribe", subscribe);
}
void append_unsubscribe_push(std::string& out, std::string_view channel,
                             const Unsubscribe& unsubscribe) {
  push(out, channel, "unsubscribe", unsubscribe);
}

void append_message_push(std::string& out, std::string_view data) {
  push(out, {}, "message", Message{data});
}
void append_refresh_push(std::string& out, const RefreshResult& refresh) {
  push(out, {}, "refresh", refresh);
}
void append_disconnect_push(std::string& out, const Disconnect& disconnect) {
  push(out, {}, "disconnect", disconnect);
}

}  // namespace sluice::centrifuge
