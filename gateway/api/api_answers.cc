// What homes answer to a call, in the words of the API.
#include <string>
#include <vector>

#include "core/base/serial.h"
#include "gateway/api/api_call.h"
#include "gateway/api/refusals.h"
#include "gateway/epoch_text.h"
#include "gateway/history_answer.h"
#include "gateway/presence_entry.h"
#include "proto/api/answer.h"
#include "proto/json/text.h"

namespace sluice {
namespace {

using api::Refusal;

// The result of a publication; `epoch` keeps what it refers to.
api::PublishResult result_of(Position position, std::string& epoch) {
  if (position.epoch == 0) return {};
  epoch = epoch_text(position.epoch);
  return {api::Position{position.offset, epoch}};
}

// The nickname of the chat is all that is known of its clients.
std::string info_of(const PresenceEntry& entry) {
  if (!entry.connection_info.empty()) return std::string(entry.connection_info);
  if (entry.nickname.empty()) return {};
  std::string info = R"({"nickname":)";
  json::append_string(info, entry.nickname);
  return info + "}";
}

}  // namespace

void ApiCall::complete(Reply& reply, const ShardMessage& message, std::uint32_t detail) {
  switch (reply.method) {
    case api::Method::kPublish: {
      if ((message.flags & ShardMessage::kFailed) != 0) return refuse(reply, kUnavailable);
      std::string epoch;
      return append_result(reply.text, place(), result_of({message.epoch, message.number}, epoch));
    }
    case api::Method::kBroadcast:
      reply.published[detail].position = {message.epoch, message.number};
      if ((message.flags & ShardMessage::kFailed) != 0) {
        reply.published[detail].refusal = kUnavailable;
      }
      if (reply.due == 0) write_broadcast(reply);
      return;
    case api::Method::kPresence:
    case api::Method::kPresenceStats:
    case api::Method::kConnections:
      return complete_members(reply, message);
    case api::Method::kHistory:
      return complete_history(reply, message);
    case api::Method::kChannels: {
      if ((message.flags & ShardMessage::kFailed) != 0) reply.refusal = kNotAvailable;
      Reader in(message.payload->bytes);
      while (!in.rest().empty()) {
        const auto subscribers = in.get<std::uint32_t>();
        reply.channels.push_back({std::string(in.get_text()), subscribers});
      }
      if (reply.due > 0) return;
      if (reply.refusal) return refuse(reply, kNotAvailable);
      return write_channels(reply);
    }
    default:
      return append_result(reply.text, place(), api::DoneResult{reply.method});
  }
}

void ApiCall::write_broadcast(Reply& reply) {
  std::vector<std::string> epochs(reply.published.size());
  std::vector<Result<api::PublishResult, Refusal>> responses;
  for (std::size_t i = 0; i < reply.published.size(); ++i) {
    const Published& one = reply.published[i];
    if (one.refusal) {
      parts_.counters.api_errors[api_error_index(one.refusal->code)].add();
      responses.emplace_back(fail(*one.refusal));
    } else {
      responses.emplace_back(result_of(one.position, epochs[i]));
    }
  }
  append_result(reply.text, place(), api::BroadcastResult{responses});
}

void ApiCall::write_channels(Reply& reply) {
  std::vector<api::ChannelsResult::Channel> channels;
  for (const ChannelCount& one : reply.channels) channels.push_back({one.name, one.subscribers});
  append_result(reply.text, place(), api::ChannelsResult{channels});
}

void ApiCall::complete_members(Reply& reply, const ShardMessage& message) {
  if (reply.method == api::Method::kPresenceStats) {
    return append_result(reply.text, place(),
                         api::PresenceStatsResult{message.count, message.number});
  }
  if ((message.flags & ShardMessage::kFailed) != 0) return refuse(reply, kNotAvailable);
  const auto entries = PresenceEntry::unpack_all(message.payload);
  if (reply.method == api::Method::kConnections) {
    std::vector<api::ConnectionsResult::Connection> connections;
    for (const PresenceEntry& entry : entries) {
      connections.push_back({entry.client, entry.user, "websocket", "json", {}, {}});
    }
    return append_result(reply.text, place(), api::ConnectionsResult{connections});
  }
  std::vector<std::string> infos;
  std::vector<api::ClientInfo> clients;
  for (const PresenceEntry& entry : entries) infos.push_back(info_of(entry));
  for (std::size_t i = 0; i < entries.size(); ++i) {
    clients.push_back({entries[i].client, entries[i].user, infos[i], entries[i].channel_info});
  }
  append_result(reply.text, place(), api::PresenceResult{clients});
}

void ApiCall::complete_history(Reply& reply, const ShardMessage& message) {
  const HistoryAnswer answer = HistoryAnswer::unpack(message.payload->bytes);
  if (reply.is_since && !answer.is_known) return refuse(reply, kUnrecoverable);
  std::vector<api::Publication> publications;
  for (const HistoryAnswer::Item& item : answer.items) {
    const PublicationView& publication = item.publication;
    const PublicationExtras extras = publication.extras();
    const bool is_binary = publication.opcode() == ws::Opcode::kBinary;
    publications.push_back(
        {{as_text(publication.data()), is_binary}, item.offset, extras.publisher, extras.tags});
  }
  const std::string epoch = epoch_text(answer.position.epoch);
  append_result(reply.text, place(),
                api::HistoryResult{publications, {answer.position.offset, epoch}});
}

}  // namespace sluice
