#include "proto/centrifuge/reply.h"

#include "core/base/bytes.h"
#include "proto/json/object.h"
#include "proto/json/scan.h"
#include "proto/ws/utf8.h"

namespace sluice::centrifuge {
namespace {

using json::Object;

void append_json(std::string& out, std::string_view raw) {
  for (;;) {
    const std::size_t line_break = raw.find_first_of("\r\n");
    out.append(raw.substr(0, line_break));
    if (line_break == std::string_view::npos) return;
    raw.remove_prefix(line_break + 1);
  }
}

// Left out when empty.
void raw(Object& object, std::string_view name, std::string_view value) {
  if (!value.empty()) append_json(object.member(name), value);
}

void append(std::string& out, const ClientInfo& info) {
  Object object(out);
  object.text("user", info.user);
  object.text("client", info.client);
  raw(object, "conn_info", info.conn_info);
  raw(object, "chan_info", info.chan_info);
}

void append(std::string& out, const Publication& publication) {
  Object object(out);
  raw(object, "data", publication.data);
  raw(object, "info", publication.info);
  object.optional_number("offset", publication.offset);
  raw(object, "tags", publication.tags);
  object.optional_text("epoch", publication.epoch);
}

void append(std::string& out, std::span<const Publication> publications) {
  json::append_array(out, publications,
                     [](std::string& to, const Publication& one) { append(to, one); });
}

void append(std::string& out, const Error& error) {
  Object object(out);
  object.number("code", error.code);
  object.text("message", error.message);
  object.optional_flag("temporary", error.is_temporary);
}

void append(std::string& out, const SubscribeResult& result) {
  Object object(out);
  object.optional_flag("expires", result.expires);
  object.optional_number("ttl", result.ttl);
  object.optional_flag("recoverable", result.recoverable);
  object.optional_text("epoch", result.epoch);
  if (!result.publications.empty()) append(object.member("publications"), result.publications);
  object.optional_flag("recovered", result.recovered);
  object.optional_number("offset", result.offset);
  object.optional_flag("positioned", result.positioned);
  raw(object, "data", result.data);
  object.optional_flag("was_recovering", result.was_recovering);
}

void append(std::string& out, std::span<const ServerSubscription> subs) {
  Object object(out);
  for (const ServerSubscription& sub : subs)
    append_json(object.member_called(sub.channel), sub.result);
}

void append(std::string& out, const ConnectResult& result) {
  Object object(out);
  object.optional_text("client", result.client);
  object.optional_text("version", result.version);
  object.optional_flag("expires", result.expires);
  object.optional_number("ttl", result.ttl);
  raw(object, "data", result.data);
  if (!result.subs.empty()) append(object.member("subs"), result.subs);
  object.optional_number("ping", result.ping);
  object.optional_flag("pong", result.pong);
}

void append(std::string& out, const UnsubscribeResult&) { out += "{}"; }
void append(std::string& out, const PublishResult&) { out += "{}"; }

void append(std::string& out, const PresenceResult& result) {
  Object object(out);
  Object clients(object.member("presence"));
  for (const ClientInfo& info : result.clients) append(clients.member_called(info.client), info);
}

void append(std::string& out, const PresenceStatsResult& result) {
  Object object(out);
  object.number("num_clients", result.clients);
  object.number("num_users", result.users);
}

void append(std::string& out, const HistoryResult& result) {
  Object object(out);
  append(object.member("publications"), result.publications);
  object.text("epoch", result.epoch);
  object.number("offset", result.offset);
}

void append_lifetime(std::string& out, bool expires, std::uint32_t ttl) {
  Object object(out);
  object.optional_flag("expires", expires);
  object.optional_number("ttl", ttl);
}
void append(std::string& out, const RefreshResult& result) {
  append_lifetime(out, result.expires, result.ttl);
}
void append(std::string& out, const SubRefreshResult& result) {
  append_lifetime(out, result.expires, result.ttl);
}

void append(std::string& out, const SubscribePush& push) {
  Object object(out);
  object.optional_flag("recoverable", push.recoverable);
  object.optional_text("epoch", push.epoch);
  object.optional_number("offset", push.offset);
  object.optional_flag("positioned", push.positioned);
  raw(object, "data", push.data);
}

void append(std::string& out, const Unsubscribe& unsubscribe) {
  Object object(out);
  object.optional_number("code", unsubscribe.code);
  object.optional_text("reason", unsubscribe.reason);
}

template <class Result>
void reply(std::string& out, std::uint32_t id, std::string_view name, const Result& result) {
  Object object(out);
  object.optional_number("id", id);
  append(object.member(name), result);
}

template <class What>
void push(std::string& out, std::string_view channel, std::string_view name, const What& what) {
  Object object(out);
  Object body(object.member("push"));
  body.optional_text("channel", channel);
  append(body.member(name), what);
}

struct Info {
  const ClientInfo& info;
};
void append(std::string& out, const Info& info) {
  Object object(out);
  append(object.member("info"), info.info);
}

struct Message {
  std::string_view data;
};
void append(std::string& out, const Message& message) {
  Object object(out);
  raw(object, "data", message.data);
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
  object.optional_number("id", id);
  raw(object, "subscribe", result);
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

}  // namespace sluice::centrifuge
