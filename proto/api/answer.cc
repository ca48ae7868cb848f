#include "proto/api/answer.h"

#include "core/base/bytes.h"
#include "proto/base64.h"
#include "proto/json/object.h"

namespace sluice::api {
namespace {

using json::append_array;
using json::Object;

void write(std::string& out, const Refusal& refusal) {
  Object error(out);
  error.number("code", static_cast<std::uint64_t>(refusal.code));
  if (refusal.detail.empty()) return error.text("message", message(refusal.code));
  // All three are literals without anything to escape.
  std::string& to = error.member("message").append("\"").append(message(refusal.code));
  to.append(": ").append(refusal.member).append(" ").append(refusal.detail).append("\"");
}

void write_position(Object& object, const Position& position, bool offset_first) {
  if (offset_first) object.number("offset", position.offset);
  object.text("epoch", position.epoch);
  if (!offset_first) object.number("offset", position.offset);
}

void write(std::string& out, const PublishResult& result) {
  Object object(out);
  if (result.position) write_position(object, *result.position, true);
}

void write(std::string& out, const BroadcastResult& result) {
  const auto write_response = [](std::string& to, const Result<PublishResult, Refusal>& response) {
    if (!response) return append_error(to, response.error());
    append_result(to, Place::kBody, *response);
  };
  Object object(out);
  append_array(object.member("responses"), result.responses, write_response);
}

void write(std::string& out, const DoneResult&) { out.append("{}"); }

void write(std::string& out, const ClientInfo& info) {
  Object object(out);
  object.text("user", info.user);
  object.text("client", info.client);
  object.optional_raw("conn_info", info.conn_info);
  object.optional_raw("chan_info", info.chan_info);
}

void write(std::string& out, const PresenceResult& result) {
  Object object(out);
  Object clients(object.member("presence"));
  for (const ClientInfo& info : result.clients) write(clients.member_called(info.client), info);
}

void write(std::string& out, const PresenceStatsResult& result) {
  Object object(out);
  object.number("num_clients", result.num_clients);
  object.number("num_users", result.num_users);
}

void write(std::string& out, const Publication& publication) {
  Object object(out);
  if (publication.data.is_binary) {
    object.member("data").append("null");
    std::string& to = object.member("b64data");
    to.push_back('"');
    base64::append(to, as_bytes(publication.data.bytes));
    to.push_back('"');
  } else {
    object.member("data").append(publication.data.bytes);
  }
  object.optional_raw("info", publication.info);
  object.number("offset", publication.offset);
  object.optional_raw("tags", publication.tags);
}

void write(std::string& out, const HistoryResult& result) {
  Object object(out);
  append_array(object.member("publications"), result.publications,
               [](std::string& to, const Publication& one) { write(to, one); });
  write_position(object, result.position, false);
}

void write(std::string& out, const ChannelsResult& result) {
  Object object(out);
  Object channels(object.member("channels"));
  for (const ChannelsResult::Channel& channel : result.channels) {
    Object(channels.member_called(channel.name)).number("num_clients", channel.num_clients);
  }
}

void write(std::string& out, const InfoResult::Node& node) {
  Object object(out);
  object.text("uid", node.uid);
  object.text("name", node.name);
  object.text("version", node.version);
  object.number("num_clients", node.num_clients);
  object.number("num_users", node.num_users);
  object.number("num_subs", node.num_subs);
  object.number("num_channels", node.num_channels);
  object.number("uptime", node.uptime);
}

void write(std::string& out, const InfoResult& result) {
  Object object(out);
  append_array(object.member("nodes"), result.nodes,
               [](std::string& to, const InfoResult::Node& node) { write(to, node); });
}

void write(std::string& out, const ConnectionsResult::Connection& connection) {
  Object object(out);
  object.optional_text("app_name", connection.app_name);
  object.optional_text("app_version", connection.app_version);
  object.text("transport", connection.transport);
  object.text("protocol", connection.protocol);
  object.text("user", connection.user);
}

void write(std::string& out, const ConnectionsResult& result) {
  Object object(out);
  Object connections(object.member("connections"));
  for (const ConnectionsResult::Connection& connection : result.connections) {
    write(connections.member_called(connection.client), connection);
  }
}

template <class T>
void wrap(std::string& out, Place place, Method method, const T& result) {
  Object answer(out);
  write(answer.member(place == Place::kBody ? "result" : name(method)), result);
}

}  // namespace

void append_result(std::string& out, Place place, const PublishResult& result) {
  wrap(out, place, Method::kPublish, result);
}
void append_result(std::string& out, Place place, const BroadcastResult& result) {
  wrap(out, place, Method::kBroadcast, result);
}
void append_result(std::string& out, Place place, const DoneResult& result) {
  wrap(out, place, result.method, result);
}
void append_result(std::string& out, Place place, const PresenceResult& result) {
  wrap(out, place, Method::kPresence, result);
}
void append_result(std::string& out, Place place, const PresenceStatsResult& result) {
  wrap(out, place, Method::kPresenceStats, result);
}
void append_result(std::string& out, Place place, const HistoryResult& result) {
  wrap(out, place, Method::kHistory, result);
}
void append_result(std::string& out, Place place, const ChannelsResult& result) {
  wrap(out, place, Method::kChannels, result);
}
void append_result(std::string& out, Place place, const InfoResult& result) {
  wrap(out, place, Method::kInfo, result);
}
void append_result(std::string& out, Place place, const ConnectionsResult& result) {
  wrap(out, place, Method::kConnections, result);
}

void append_batch(std::string& out, std::span<const std::string> replies) {
  Object object(out);
  append_array(object.member("replies"), replies,
               [](std::string& to, const std::string& reply) { to.append(reply); });
}

void append_error(std::string& out, const Refusal& refusal) {
  Object answer(out);
  write(answer.member("error"), refusal);
}

void append_bare_error(std::string& out, const Refusal& refusal) { write(out, refusal); }

}  // namespace sluice::api
