#include "proto/api/request.h"

#include <array>
#include <utility>

#include "core/base/bytes.h"
#include "proto/api/reader.h"
#include "proto/json/scan.h"
#include "proto/ws/utf8.h"

namespace sluice::api {
namespace {

template <std::size_t N>
using Names = std::array<std::string_view, N>;

template <std::size_t N, std::size_t M>
constexpr Names<N + M> join(const Names<N>& a, const Names<M>& b) noexcept {
  Names<N + M> names;
  for (std::size_t i = 0; i < N; ++i) names[i] = a[i];
  for (std::size_t i = 0; i < M; ++i) names[N + i] = b[i];
  return names;
}

constexpr Names<10> kMessageNames = {"data",    "b64data",      "skip_history",    "tags",
                                     "key",     "sync",         "idempotency_key", "delta",
                                     "version", "version_epoch"};
constexpr Names<5> kSelectionNames = {"user", "client", "session", "label_filter", "all_users"};

// Reads one request. Lives for one call of RequestParser::parse.
class RequestReader {
 public:
  RequestReader(std::string_view body, const Limits& limits, Scratch& scratch) noexcept
      : body_(body), limits_(limits), reader_(scratch) {}

  void read(Method method, Request& request);
  const std::optional<Refusal>& refusal() const noexcept { return reader_.refusal(); }

 private:
  void read(Publish& publish);
  void read(Broadcast& broadcast);
  void read(Subscribe& subscribe);
  void read(Unsubscribe& unsubscribe);
  void read(Disconnect& disconnect);
  void read(Refresh& refresh);
  void read(History& history);
  void read(Channels& channels);
  void read(Info& info) noexcept;
  void read(ListConnections& list) noexcept;
  void read(Batch& batch) noexcept;
  // Presence, PresenceStats, HistoryRemove: a channel and nothing else.
  template <class T>
  void read(T& request) {
    const auto [channel] = reader_.object(body_, Names<1>{"channel"});
    request.channel = reader_.required_text(channel, limits_.channel_bytes);
  }

  Message read_message(std::span<const Field, kMessageNames.size()> fields);
  Selection read_selection(std::span<const Field, kSelectionNames.size()> fields);
  Data read_data(const Field& json, const Field& base64);
  std::optional<Position> read_position(const Field& field);
  centrifuge::Overrides read_overrides(const Field& field) noexcept;

  const std::string_view body_;
  const Limits& limits_;
  Reader reader_;
};

void RequestReader::read(Method method, Request& request) {
  switch (method) {
    case Method::kPublish:
      return read(request.emplace<Publish>());
    case Method::kBroadcast:
      return read(request.emplace<Broadcast>());
    case Method::kSubscribe:
      return read(request.emplace<Subscribe>());
    case Method::kUnsubscribe:
      return read(request.emplace<Unsubscribe>());
    case Method::kDisconnect:
      return read(request.emplace<Disconnect>());
    case Method::kRefresh:
      return read(request.emplace<Refresh>());
    case Method::kPresence:
      return read(request.emplace<Presence>());
    case Method::kPresenceStats:
      return read(request.emplace<PresenceStats>());
    case Method::kHistory:
      return read(request.emplace<History>());
    case Method::kHistoryRemove:
      return read(request.emplace<HistoryRemove>());
    case Method::kChannels:
      return read(request.emplace<Channels>());
    case Method::kInfo:
      return read(request.emplace<Info>());
    case Method::kConnections:
      return read(request.emplace<ListConnections>());
    case Method::kBatch:
      return read(request.emplace<Batch>());
  }
}

void RequestReader::read(Publish& publish) {
  const auto fields = reader_.object(body_, join(kMessageNames, Names<2>{"channel", "user"}));
  const Field& channel = fields[10];
  const Field& user = fields[11];
  if (!user.is_set()) {
    publish.channel = reader_.required_text(channel, limits_.channel_bytes);
  } else if (channel.is_set()) {
    reader_.refuse("user", "and channel exclude each other");
  } else {
    publish.user = reader_.required_user(user);
  }
  publish.message = read_message(std::span(fields).first<kMessageNames.size()>());
}

void RequestReader::read(Broadcast& broadcast) {
  const auto fields = reader_.object(body_, join(kMessageNames, Names<1>{"channels"}));
  const Field& channels = fields[10];
  broadcast.channels = reader_.texts(channels, limits_.broadcast_channels, limits_.channel_bytes);
  if (broadcast.channels.empty()) reader_.refuse("channels", "is missing or empty");
  broadcast.message = read_message(std::span(fields).first<kMessageNames.size()>());
}

void RequestReader::read(Subscribe& subscribe) {
  const auto fields = reader_.object(
      body_, join(kSelectionNames, Names<8>{"channel", "info", "b64info", "data", "b64data",
                                            "expire_at", "recover_since", "override"}));
  subscribe.who = read_selection(std::span(fields).first<kSelectionNames.size()>());
  subscribe.channel = reader_.required_text(fields[5], limits_.channel_bytes);
  subscribe.info = read_data(fields[6], fields[7]);
  subscribe.data = read_data(fields[8], fields[9]);
  subscribe.expire_at = reader_.number<std::uint64_t>(fields[10]);
  subscribe.recover_since = read_position(fields[11]);
  subscribe.overrides = read_overrides(fields[12]);
}

void RequestReader::read(Unsubscribe& unsubscribe) {
  const auto fields = reader_.object(body_, join(kSelectionNames, Names<1>{"channel"}));
  unsubscribe.who = read_selection(std::span(fields).first<kSelectionNames.size()>());
  unsubscribe.channel = reader_.text(fields[5], limits_.channel_bytes);
}

void RequestReader::read(Disconnect& disconnect) {
  const auto fields =
      reader_.object(body_, join(kSelectionNames, Names<2>{"whitelist", "disconnect"}));
  disconnect.who = read_selection(std::span(fields).first<kSelectionNames.size()>());
  disconnect.whitelist = reader_.texts(fields[5], limits_.whitelist, limits_.text_bytes);
  const auto [code_field, reason_field] = reader_.object(fields[6], Names<2>{"code", "reason"});
  // A library that has not been told a code or a reason sends 0 and an empty text.
  const auto code = reader_.number<std::uint16_t>(code_field);
  if (code != 0 && (code < 3000 || code > 4999)) {
    reader_.refuse("code", "is not from 3000 to 4999");
  }
  const std::string_view reason = reader_.text(reason_field, kReasonBytesMax);
  if (code != 0) disconnect.code = code;
  if (!reason.empty()) disconnect.reason = reason;
}

void RequestReader::read(Refresh& refresh) {
  const auto fields = reader_.object(
      body_, join(kSelectionNames, Names<4>{"expired", "expire_at", "info", "b64info"}));
  refresh.who = read_selection(std::span(fields).first<kSelectionNames.size()>());
  refresh.is_expired = reader_.flag(fields[5]);
  refresh.expire_at = reader_.number<std::uint64_t>(fields[6]);
  refresh.info = read_data(fields[7], fields[8]);
}

void RequestReader::read(History& history) {
  const auto [channel, limit, since, reverse] =
      reader_.object(body_, Names<4>{"channel", "limit", "since", "reverse"});
  history.channel = reader_.required_text(channel, limits_.channel_bytes);
  history.limit = reader_.number<std::int32_t>(limit);
  history.since = read_position(since);
  history.reverse = reader_.flag(reverse);
}

void RequestReader::read(Channels& channels) {
  const auto [pattern] = reader_.object(body_, Names<1>{"pattern"});
  channels.pattern = reader_.text(pattern, limits_.channel_bytes);
}

void RequestReader::read(Info&) noexcept { reader_.object(body_, Names<0>{}); }

void RequestReader::read(ListConnections& list) noexcept {
  const auto fields = reader_.object(body_, Names<2>{"user", "expression"});
  list.user = reader_.required_user(fields[0]);
  reader_.unsupported(std::span(fields).last<1>());
}

void RequestReader::read(Batch& batch) noexcept {
  const auto [commands, parallel] = reader_.object(body_, Names<2>{"commands", "parallel"});
  batch.is_parallel = reader_.flag(parallel);
  if (!commands.is_set()) return;
  if (!commands.is_array()) return reader_.refuse("commands", "is not an array");
  batch.commands = commands.value.raw;
  json::Walk walk(batch.commands);
  json::Member command;
  while (walk.next(command)) ++batch.count;
  if (batch.count > limits_.batch_commands) reader_.refuse("commands", "has too many elements");
}

Message RequestReader::read_message(std::span<const Field, kMessageNames.size()> fields) {
  const Field& data = fields[0];
  Message message;
  message.data = read_data(data, fields[1]);
  if (message.data.bytes.empty()) {
    if (data.value.kind == json::Kind::kAbsent) {
      reader_.refuse("data", "is missing");
    } else {
      message.data = {json::whole(data.value), false};
    }
  }
  message.skip_history = reader_.flag(fields[2]);
  message.tags = reader_.tags(fields[3], limits_.tags, limits_.text_bytes);
  message.key = reader_.text(fields[4], limits_.text_bytes);
  message.sync = reader_.flag(fields[5]);
  message.idempotency_key = reader_.text(fields[6], kIdempotencyKeyBytesMax);
  reader_.unsupported(fields.subspan<7>());
  return message;
}

Selection RequestReader::read_selection(std::span<const Field, kSelectionNames.size()> fields) {
  Selection selection;
  selection.user = reader_.required_user(fields[0]);
  selection.client = reader_.text(fields[1], limits_.text_bytes);
  selection.session = reader_.text(fields[2], limits_.text_bytes);
  reader_.unsupported(fields.subspan<3>());
  return selection;
}

Data RequestReader::read_data(const Field& json, const Field& base64) {
  if (const std::string_view bytes = reader_.base64(base64); !bytes.empty()) return {bytes, true};
  if (!json.is_set()) return {};
  return {json::whole(json.value), false};
}

std::optional<Position> RequestReader::read_position(const Field& field) {
  if (!field.is_set()) return std::nullopt;
  const auto [offset, epoch] = reader_.object(field, Names<2>{"offset", "epoch"});
  return Position{reader_.number<std::uint64_t>(offset), reader_.text(epoch, limits_.text_bytes)};
}

centrifuge::Overrides RequestReader::read_overrides(const Field& field) noexcept {
  const auto options =
      reader_.object(field, Names<3>{"presence", "join_leave", "force_push_join_leave"});
  std::array<std::optional<bool>, 3> values;
  for (std::size_t i = 0; i < options.size(); ++i) {
    const auto [value] = reader_.object(options[i], Names<1>{"value"});
    // Protocol buffers leave false out: an option that is named has a value.
    if (options[i].is_set()) values[i] = reader_.flag(value);
  }
  return {values[0], values[1], values[2]};
}

}  // namespace

Result<Request, Refusal> RequestParser::parse(Method method, std::string_view body) {
  scratch_.begin(body.size());
  // One variable on every path out: ids are built where the caller wants them.
  Result<Request, Refusal> result;
  if (!ws::is_valid_utf8(as_bytes(body))) {
    result = fail(Refusal{ErrorCode::kBadRequest, "the body", "is not valid UTF-8", true});
    return result;
  }
  RequestReader reader(body, limits_, scratch_);
  reader.read(method, *result);
  if (reader.refusal()) result = fail(*reader.refusal());
  return result;
}

BatchWalk::BatchWalk(const Batch& batch) noexcept : walk_(batch.commands) {}

std::optional<Result<Command, Refusal>> BatchWalk::next() noexcept {
  // All methods but the batch itself.
  static constexpr std::size_t kCount = kMethodCount - 1;
  static constexpr auto kNames = std::span(kMethodNames).first<kCount>();
  static_assert(kMethodNames[kCount] == "batch");
  json::Member command;
  if (!walk_.next(command)) return std::nullopt;
  std::array<json::Member, kCount> members;
  const auto refuse = [](ErrorCode code, std::string_view detail) {
    return fail(Refusal{code, detail.empty() ? "" : "a command", detail});
  };
  if (!command.raw.starts_with('{') || command.kind != json::Kind::kOther) {
    return refuse(ErrorCode::kBadRequest, "is not an object");
  }
  if (!json::scan(command.raw, kNames, members)) {
    return refuse(ErrorCode::kBadRequest, "names a method twice");
  }
  std::optional<Command> found;
  for (std::size_t i = 0; i < kCount; ++i) {
    const json::Member& member = members[i];
    if (member.kind == json::Kind::kAbsent || member.raw == "null") continue;
    if (found) return refuse(ErrorCode::kBadRequest, "names several methods");
    found = Command{static_cast<Method>(i), json::whole(member)};
  }
  if (!found) return refuse(ErrorCode::kNotFound, {});
  return *found;
}

}  // namespace sluice::api
