#include "proto/centrifuge/command.h"

#include <array>

#include "proto/json/scan.h"

namespace sluice::centrifuge {
namespace {

using json::Fields;
using json::Member;
using Outcome = std::optional<CommandFault>;

CommandFault fault_of(json::Fault fault) noexcept {
  return fault == json::Fault::kDuplicate ? CommandFault::kDuplicate : CommandFault::kNotJson;
}

// Members of one object, found by their names in one scan.
template <std::size_t N>
Outcome find(std::string_view object, const std::array<std::string_view, N>& names,
             std::array<Member, N>& members) noexcept {
  const auto scanned = json::scan(object, names, members);
  return scanned ? Outcome() : Outcome(fault_of(scanned.error()));
}

Outcome outcome_of(const Fields& fields) noexcept {
  return fields.is_ok() ? Outcome() : Outcome(CommandFault::kWrongType);
}

Outcome need_channel(const Fields& fields, std::string_view channel) noexcept {
  if (!fields.is_ok()) return CommandFault::kWrongType;
  return channel.empty() ? Outcome(CommandFault::kMissingChannel) : Outcome();
}

Outcome check_subs(std::string_view subs) {
  SubsReader reader(subs);
  SubscribeRequest request;
  while (reader.next(request)) {
  }
  return reader.fault();
}

Outcome read(Fields& fields, std::string_view object, ConnectRequest& request) {
  static constexpr std::array<std::string_view, 5> kNames = {"token", "data", "subs", "name",
                                                             "version"};
  std::array<Member, kNames.size()> members;
  if (const Outcome fault = find(object, kNames, members)) return fault;
  fields.text(members[0], request.token);
  fields.raw(members[1], request.data);
  fields.object(members[2], request.subs);
  fields.text(members[3], request.name);
  fields.text(members[4], request.version);
  if (!fields.is_ok()) return CommandFault::kWrongType;
  return check_subs(request.subs);
}

Outcome read(Fields&, std::string_view, PingRequest&) noexcept { return {}; }

// All of a subscription but its channel, which a map of subscriptions has elsewhere.
Outcome read_options(Fields& fields, std::string_view object, SubscribeRequest& request,
                     Member& channel) {
  static constexpr std::array<std::string_view, 13> kNames = {
      "channel",     "token",      "data",  "recover", "offset", "epoch", "positioned",
      "recoverable", "join_leave", "delta", "type",    "flag",   "tf"};
  std::array<Member, kNames.size()> members;
  if (const Outcome fault = find(object, kNames, members)) return fault;
  std::string_view delta;
  std::int64_t flag = 0;
  channel = members[0];
  fields.text(members[1], request.token);
  fields.raw(members[2], request.data);
  fields.boolean(members[3], request.recover);
  fields.integer(members[4], request.position.offset);
  fields.text(members[5], request.position.epoch);
  fields.boolean(members[6], request.positioned);
  fields.boolean(members[7], request.recoverable);
  fields.boolean(members[8], request.join_leave);
  fields.text(members[9], delta);
  fields.integer(members[10], request.type);
  fields.integer(members[11], flag);
  fields.object(members[12], request.tag_filter);
  if (!fields.is_ok()) return CommandFault::kWrongType;
  if (!delta.empty() && delta != "fossil") return CommandFault::kUnknownDelta;
  request.delta = delta.empty() ? Delta::kNone : Delta::kFossil;
  request.reject_unrecovered = (flag & 2) != 0;
  return {};
}

Outcome read(Fields& fields, std::string_view object, SubscribeRequest& request) {
  Member channel;
  if (const Outcome fault = read_options(fields, object, request, channel)) return fault;
  fields.text(channel, request.channel);
  return need_channel(fields, request.channel);
}

// For requests that have nothing but a channel.
template <class ChannelRequest>
Outcome read_channel(Fields& fields, std::string_view object, ChannelRequest& request) {
  static constexpr std::array<std::string_view, 1> kNames = {"channel"};
  std::array<Member, kNames.size()> members;
  if (const Outcome fault = find(object, kNames, members)) return fault;
  fields.text(members[0], request.channel);
  return need_channel(fields, request.channel);
}

Outcome read(Fields& fields, std::string_view object, UnsubscribeRequest& request) {
  return read_channel(fields, object, request);
}
Outcome read(Fields& fields, std::string_view object, PresenceRequest& request) {
  return read_channel(fields, object, request);
}
Outcome read(Fields& fields, std::string_view object, PresenceStatsRequest& request) {
  return read_channel(fields, object, request);
}

Outcome read(Fields& fields, std::string_view object, PublishRequest& request) {
  static constexpr std::array<std::string_view, 3> kNames = {"channel", "data", "type"};
  std::array<Member, kNames.size()> members;
  if (const Outcome fault = find(object, kNames, members)) return fault;
  fields.text(members[0], request.channel);
  fields.raw(members[1], request.data);
  fields.integer(members[2], request.type);
  return need_channel(fields, request.channel);
}

Outcome read(Fields& fields, std::string_view object, StreamPosition& position) {
  static constexpr std::array<std::string_view, 2> kNames = {"offset", "epoch"};
  std::array<Member, kNames.size()> members;
  if (const Outcome fault = find(object, kNames, members)) return fault;
  fields.integer(members[0], position.offset);
  fields.text(members[1], position.epoch);
  return outcome_of(fields);
}

Outcome read(Fields& fields, std::string_view object, HistoryRequest& request) {
  static constexpr std::array<std::string_view, 4> kNames = {"channel", "limit", "since",
                                                             "reverse"};
  std::array<Member, kNames.size()> members;
  if (const Outcome fault = find(object, kNames, members)) return fault;
  std::string_view since;
  fields.text(members[0], request.channel);
  fields.integer(members[1], request.limit);
  fields.object(members[2], since);
  fields.boolean(members[3], request.reverse);
  if (!since.empty()) {
    if (const Outcome fault = read(fields, since, request.since.emplace())) return fault;
  }
  return need_channel(fields, request.channel);
}

Outcome read(Fields& fields, std::string_view object, RpcRequest& request) {
  static constexpr std::array<std::string_view, 2> kNames = {"method", "data"};
  std::array<Member, kNames.size()> members;
  if (const Outcome fault = find(object, kNames, members)) return fault;
  fields.text(members[0], request.method);
  fields.raw(members[1], request.data);
  return outcome_of(fields);
}

Outcome read(Fields& fields, std::string_view object, SendRequest& request) {
  static constexpr std::array<std::string_view, 1> kNames = {"data"};
  std::array<Member, kNames.size()> members;
  if (const Outcome fault = find(object, kNames, members)) return fault;
  fields.raw(members[0], request.data);
  return {};
}

Outcome read(Fields& fields, std::string_view object, RefreshRequest& request) {
  static constexpr std::array<std::string_view, 1> kNames = {"token"};
  std::array<Member, kNames.size()> members;
  if (const Outcome fault = find(object, kNames, members)) return fault;
  fields.text(members[0], request.token);
  return outcome_of(fields);
}

Outcome read(Fields& fields, std::string_view object, SubRefreshRequest& request) {
  static constexpr std::array<std::string_view, 3> kNames = {"channel", "token", "type"};
  std::array<Member, kNames.size()> members;
  if (const Outcome fault = find(object, kNames, members)) return fault;
  fields.text(members[0], request.channel);
  fields.text(members[1], request.token);
  fields.integer(members[2], request.type);
  return need_channel(fields, request.channel);
}

template <class R>
Outcome read_as(Fields& fields, std::string_view object, Request& request) {
  return read(fields, object, request.emplace<R>());
}

struct RequestKind {
  std::string_view name;
  Outcome (*read)(Fields& fields, std::string_view object, Request& request);
};

// In the order of Request, which is that of precedence.
constexpr std::array kKinds = {
    RequestKind{"connect", read_as<ConnectRequest>},
    RequestKind{"ping", read_as<PingRequest>},
    RequestKind{"subscribe", read_as<SubscribeRequest>},
    RequestKind{"unsubscribe", read_as<UnsubscribeRequest>},
    RequestKind{"publish", read_as<PublishRequest>},
    RequestKind{"presence", read_as<PresenceRequest>},
    RequestKind{"presence_stats", read_as<PresenceStatsRequest>},
    RequestKind{"history", read_as<HistoryRequest>},
    RequestKind{"rpc", read_as<RpcRequest>},
    RequestKind{"send", read_as<SendRequest>},
    RequestKind{"refresh", read_as<RefreshRequest>},
    RequestKind{"sub_refresh", read_as<SubRefreshRequest>},
};
static_assert(kKinds.size() + 1 == std::variant_size_v<Request>);
constexpr std::size_t kSend = 9;
static_assert(kKinds[kSend].name == "send");

// The request members' names, and behind them that of the id.
constexpr auto kCommandNames = [] {
  std::array<std::string_view, kKinds.size() + 1> names;
  for (std::size_t i = 0; i < kKinds.size(); ++i) names[i] = kKinds[i].name;
  names.back() = "id";
  return names;
}();

bool is_object_text(std::string_view accepted) noexcept {
  return accepted[accepted.find_first_not_of(" \t\r")] == '{';
}

}  // namespace

bool CommandReader::next(Command& command) {
  if (is_at_end_) return false;
  fault_ = read(take_line(), command);
  if (!fault_) return true;
  is_at_end_ = true;
  rest_ = {};
  return false;
}

std::string_view CommandReader::take_line() noexcept {
  const std::size_t end = rest_.find('\n');
  const std::string_view line = rest_.substr(0, end);
  rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
  is_at_end_ = rest_.empty();
  return line;
}

std::optional<CommandFault> CommandReader::read(std::string_view line, Command& command) {
  std::array<Member, kCommandNames.size()> members;
  if (const Outcome fault = find(line, kCommandNames, members)) return fault;
  if (!is_object_text(line)) return CommandFault::kNotJson;
  fields_.reset(line.size());
  command.id = 0;
  fields_.integer(members.back(), command.id);
  std::array<std::string_view, kKinds.size()> objects;
  for (std::size_t i = 0; i < kKinds.size(); ++i) fields_.object(members[i], objects[i]);
  if (!fields_.is_ok()) return CommandFault::kWrongType;

  std::size_t chosen = 0;
  while (chosen < kKinds.size() && objects[chosen].empty()) ++chosen;
  if (command.id == 0 && chosen != kSend) {
    if (!objects[kSend].empty()) return CommandFault::kMissingId;
    command.request = Pong{};
    return {};
  }
  if (chosen == kKinds.size()) return CommandFault::kNoRequest;
  return kKinds[chosen].read(fields_, objects[chosen], command.request);
}

SubsReader::SubsReader(std::string_view subs) noexcept
    : walk_(subs.empty() ? std::string_view("{}") : subs), size_(subs.size()) {}

bool SubsReader::next(SubscribeRequest& request) {
  if (fault_) return false;
  Member name;
  Member value;
  if (!walk_.next(name, value)) return false;
  request = {};
  fields_.reset(size_);
  fields_.text(name, request.channel);
  std::string_view object;
  fields_.object(value, object);
  if (!fields_.is_ok()) {
    fault_ = CommandFault::kWrongType;
  } else if (!object.empty()) {
    Member own_channel;
    fault_ = read_options(fields_, object, request, own_channel);
  }
  return !fault_;
}

}  // namespace sluice::centrifuge
