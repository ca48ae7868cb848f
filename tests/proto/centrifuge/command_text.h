// Commands in one line each, so that tests can compare whole frames with what was read of them.
#pragma once

#include <concepts>
#include <optional>
#include <string>
#include <string_view>

#include "proto/centrifuge/command.h"

namespace sluice::centrifuge {

inline std::string name(CommandFault fault) {
  switch (fault) {
    case CommandFault::kNotJson:
      return "not_json";
    case CommandFault::kDuplicate:
      return "duplicate";
    case CommandFault::kWrongType:
      return "wrong_type";
    case CommandFault::kNoRequest:
      return "no_request";
    case CommandFault::kMissingId:
      return "missing_id";
    case CommandFault::kMissingChannel:
      return "missing_channel";
    case CommandFault::kUnknownDelta:
      break;
  }
  return "unknown_delta";
}

// Lists what is not at its default: "subscribe channel=a recover".
class Describe {
 public:
  std::string operator()(const Pong&) { return "pong"; }
  std::string operator()(const PingRequest&) { return "ping"; }
  std::string operator()(const ConnectRequest& r) {
    text_ = "connect";
    add("token", r.token).add("data", r.data).add("name", r.name).add("version", r.version);
    SubsReader subs(r.subs);
    std::string listed;
    for (SubscribeRequest sub; subs.next(sub);) listed += "(" + Describe()(sub) + ")";
    return add("subs", listed).text_;
  }
  std::string operator()(const SubscribeRequest& r) {
    text_ = "subscribe";
    add("channel", r.channel).add("token", r.token).add("data", r.data).add("recover", r.recover);
    add("offset", r.position.offset).add("epoch", r.position.epoch);
    add("positioned", r.positioned).add("recoverable", r.recoverable);
    add("join_leave", r.join_leave).add("reject_unrecovered", r.reject_unrecovered);
    add("fossil", r.delta == Delta::kFossil).add("type", r.type).add("tf", r.tag_filter);
    return text_;
  }
  std::string operator()(const UnsubscribeRequest& r) { return of("unsubscribe", r.channel); }
  std::string operator()(const PresenceRequest& r) { return of("presence", r.channel); }
  std::string operator()(const PresenceStatsRequest& r) { return of("presence_stats", r.channel); }
  std::string operator()(const PublishRequest& r) {
    of("publish", r.channel);
    return add("data", r.data).add("type", r.type).text_;
  }
  std::string operator()(const HistoryRequest& r) {
    of("history", r.channel);
    add("limit", r.limit).add("since", r.since.has_value());
    if (r.since) add("offset", r.since->offset).add("epoch", r.since->epoch);
    return add("reverse", r.reverse).text_;
  }
  std::string operator()(const RpcRequest& r) {
    text_ = "rpc";
    return add("method", r.method).add("data", r.data).text_;
  }
  std::string operator()(const SendRequest& r) {
    text_ = "send";
    return add("data", r.data).text_;
  }
  std::string operator()(const RefreshRequest& r) {
    text_ = "refresh";
    return add("token", r.token).text_;
  }
  std::string operator()(const SubRefreshRequest& r) {
    of("sub_refresh", r.channel);
    return add("token", r.token).add("type", r.type).text_;
  }

 private:
  std::string of(std::string_view kind, std::string_view channel) {
    text_ = kind;
    return add("channel", channel).text_;
  }
  Describe& add(std::string_view name, std::string_view value) {
    if (!value.empty()) text_.append(" ").append(name).append("=").append(value);
    return *this;
  }
  Describe& add(std::string_view name, bool value) {
    if (value) text_.append(" ").append(name);
    return *this;
  }
  template <std::integral T>
  Describe& add(std::string_view name, T value) {
    return add(name, value == 0 ? std::string() : std::to_string(value));
  }

  std::string text_;
};

inline std::string describe(const Command& command) {
  return std::to_string(command.id) + " " + std::visit(Describe(), command.request);
}

// The commands of a frame, a line each, and the fault that ended it, if any.
inline std::string described(std::string_view frame) {
  std::string text;
  CommandReader reader(frame);
  Command command;
  const auto add = [&](const std::string& line) { text += (text.empty() ? "" : "\n") + line; };
  while (reader.next(command)) add(describe(command));
  if (reader.fault()) add(name(*reader.fault()));
  return text;
}

}  // namespace sluice::centrifuge
