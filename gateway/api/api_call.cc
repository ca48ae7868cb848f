#include "gateway/api/api_call.h"

#include <algorithm>

#include "core/base/check.h"
#include "gateway/api/refusals.h"
#include "gateway/epoch_text.h"
#include "proto/api/answer.h"
#include "proto/json/text.h"

namespace sluice {
namespace {

using api::ErrorCode;
using api::Refusal;

Refusal bad(std::string_view member, std::string_view detail) noexcept {
  return {ErrorCode::kBadRequest, member, detail, false};
}

// How a channel that reaches one user is written where channels are meant: "#42".
constexpr char kUserMark = '#';

// Seconds since 1970.
std::int64_t to_moment(std::uint64_t seconds) noexcept {
  return static_cast<std::int64_t>(std::min<std::uint64_t>(seconds, INT64_MAX));
}

// Their answers are as long as what they ask for.
bool has_long_answer(api::Method method) noexcept {
  switch (method) {
    case api::Method::kPresence:
    case api::Method::kHistory:
    case api::Method::kChannels:
    case api::Method::kConnections:
      return true;
    default:
      return false;
  }
}

}  // namespace

void ApiCall::begin(api::Method method, std::string_view body, std::uint32_t& next_request) {
  next_request_ = &next_request;
  if (method == api::Method::kBatch) {
    form_ = Form::kBatch;
    batch_ = std::make_unique<BatchUnderWay>(
        BatchUnderWay{std::string(body), api::BatchWalk(api::Batch{})});
    run(0, method, batch_->body);
    go_on();
  } else {
    replies_.emplace_back();
    run(0, method, body);
  }
  next_request_ = nullptr;
}

// All of the body is looked at before any of it is done.
void ApiCall::begin_lines(std::string_view body, std::uint32_t& next_request) {
  next_request_ = &next_request;
  const auto count = api::count_lines(body);
  if (!count || *count > parts_.desk.settings().max_batch) {
    const bool is_malformed = !count;
    refuse(replies_.emplace_back(),
           {ErrorCode::kBadRequest, "the body", "has too many commands", is_malformed});
  } else {
    form_ = Form::kLines;
    replies_.resize(*count);
    batch_ = std::make_unique<BatchUnderWay>(
        BatchUnderWay{std::string(body), api::BatchWalk(api::Batch{})});
    batch_->walk = api::LineWalk(batch_->body);
    go_on();
  }
  next_request_ = nullptr;
}

void ApiCall::run(std::size_t reply, api::Method method, std::string_view body) {
  parts_.counters.api_calls[static_cast<std::size_t>(method)].add();
  const auto request = parts_.desk.parser().parse(method, body);
  if (!request) {
    if (method == api::Method::kBatch) {  // the body itself
      replies_.resize(1);
      form_ = Form::kOne;
      batch_.reset();
    }
    return refuse(replies_[reply], request.error());
  }
  if (method != api::Method::kBatch) replies_[reply].method = method;
  std::visit([&](const auto& asked) { ask(reply, asked); }, *request);
}

void ApiCall::ask(std::size_t, const api::Batch& batch) {
  replies_.resize(batch.count);
  batch_->walk = api::BatchWalk(batch);
}

// Asks for what can be asked now.
void ApiCall::go_on() {
  while (batch_) {
    if (!batch_->held) {
      const auto command = std::visit([](auto& walk) { return walk.next(); }, batch_->walk);
      if (!command) {
        batch_.reset();
        return;
      }
      if (!*command) {
        refuse(replies_[batch_->next++], command->error());
        continue;
      }
      batch_->held = **command;
    }
    const api::Command command = *batch_->held;
    if (long_due_ > 0 && has_long_answer(command.method)) return;
    batch_->held.reset();
    run(batch_->next++, command.method, command.body);
  }
}

Question ApiCall::question(std::size_t reply, std::uint32_t detail, std::uint8_t flags) {
  const std::uint32_t request = ++*next_request_;
  questions_.push_back({request, reply, detail});
  ++replies_[reply].due;
  ++due_;
  if (has_long_answer(replies_[reply].method)) ++long_due_;
  return {stage_, request, flags};
}

void ApiCall::refuse(Reply& reply, const Refusal& refusal) {
  parts_.counters.api_errors[api_error_index(refusal.code)].add();
  reply.refusal = refusal;
}

Result<ApiCall::Target, Refusal> ApiCall::target_of(std::string_view channel) {
  if (channel.size() > 1 && channel.front() == kUserMark) {
    if (channel.size() - 1 > kUserTextBytesMax) return fail(bad("channel", "is too long"));
    name_ = user_channel(channel.substr(1));
    channel = name_;
  }
  const ChannelOptions* const options = parts_.namespaces.find_channel(channel);
  if (options == nullptr) return fail(kUnknownChannel);
  return Target{channel, options};
}

// Why a publication cannot be on disk before its answer, if it cannot ever.
std::optional<Refusal> ApiCall::sync_refusal(const Target& target,
                                             const api::Message& message) const {
  if (!message.sync) return std::nullopt;
  if (!parts_.has_storage) return bad("sync", "needs a server with --data");
  if (message.skip_history) return bad("sync", "and skip_history exclude each other");
  const bool is_kept = kind_of(target.channel) == ChannelKind::kUser
                           ? parts_.limits.mailbox_messages > 0
                           : target.options->has_history();
  if (!is_kept) return bad("sync", "needs a channel with a history, or a user");
  return std::nullopt;
}

std::optional<Refusal> ApiCall::publish(std::size_t reply, std::uint32_t detail,
                                        std::string_view channel, const api::Message& message) {
  const auto target = target_of(channel);
  if (!target) return target.error();
  if (!message.key.empty() && !target->options->conflation) return kNotAvailable;
  if (const auto refusal = sync_refusal(*target, message)) return refusal;
  if (message.data.bytes.size() > parts_.limits.max_message) return bad("data", "is too long");
  published_bytes_ += message.data.bytes.size();
  if (published_bytes_ > parts_.limits.call_bytes) {
    return bad("data", "is too long for so many channels");
  }
  PublicationDraft draft;
  draft.data = as_bytes(message.data.bytes);
  if (message.data.is_binary) draft.opcode = ws::Opcode::kBinary;
  tags_.clear();
  for (const api::Tag& tag : message.tags) {
    tags_ += tags_.empty() ? '{' : ',';
    json::append_string(tags_, tag.name);
    tags_ += ':';
    json::append_string(tags_, tag.value);
  }
  if (!tags_.empty()) tags_ += '}';
  draft.extras.tags = tags_;
  draft.extras.id = message.idempotency_key;
  draft.extras.key = message.key;
  if (!fits_in_head(target->channel, draft.extras)) return bad("tags", "are too long");
  std::uint8_t flags = ShardMessage::kWantAnswer;
  if (message.skip_history) flags |= ShardMessage::kNoPlace;
  if (message.sync) flags |= ShardMessage::kSync;
  parts_.router.publish(parts_.router.name(target->channel), draft, question(reply, detail, flags));
  return std::nullopt;
}

void ApiCall::ask(std::size_t reply, const api::Publish& request) {
  const bool is_to_user = request.channel.empty();
  const std::string_view channel = is_to_user ? request.user.channel() : request.channel;
  if (const auto refusal = publish(reply, 0, channel, request.message)) {
    refuse(replies_[reply], *refusal);
  }
}

void ApiCall::ask(std::size_t reply, const api::Broadcast& request) {
  replies_[reply].published.resize(request.channels.size());
  for (std::uint32_t i = 0; i < request.channels.size(); ++i) {
    const auto refusal = publish(reply, i, request.channels[i], request.message);
    if (refusal) replies_[reply].published[i].refusal = refusal;
  }
  if (replies_[reply].due == 0) write_broadcast(replies_[reply]);
}

void ApiCall::tell_user(std::size_t reply, const api::Selection& who, Control control) {
  control.client = who.client;
  // Connections over a WebSocket have no session beside them.
  if (!who.session.empty()) {
    api::append_result(replies_[reply].text, place(), api::DoneResult{replies_[reply].method});
    return;
  }
  parts_.router.control(parts_.router.name(who.user.channel()), control, question(reply));
}

void ApiCall::ask(std::size_t reply, const api::Subscribe& request) {
  const auto target = target_of(request.channel);
  if (!target) return refuse(replies_[reply], target.error());
  if (request.info.is_binary || request.data.is_binary) {
    return refuse(replies_[reply], kNotAvailable);
  }
  Control control;
  control.kind = Control::Kind::kSubscribe;
  control.channel = target->channel;
  control.overrides = request.overrides;
  if (request.recover_since) {
    const auto epoch = parse_epoch(request.recover_since->epoch);
    if (epoch) control.since = Position{*epoch, request.recover_since->offset};
  }
  control.info = request.info.bytes;
  control.data = request.data.bytes;
  control.expire_at = to_moment(request.expire_at);
  tell_user(reply, request.who, control);
}

void ApiCall::ask(std::size_t reply, const api::Refresh& request) {
  if (request.info.is_binary) return refuse(replies_[reply], kNotAvailable);
  Control control;
  control.kind = Control::Kind::kRefresh;
  control.is_expired = request.is_expired;
  control.expire_at = to_moment(request.expire_at);
  control.info = request.info.bytes;
  tell_user(reply, request.who, control);
}

void ApiCall::ask(std::size_t reply, const api::Unsubscribe& request) {
  Control control;
  control.kind = Control::Kind::kUnsubscribe;
  control.channel = request.channel;
  tell_user(reply, request.who, control);
}

void ApiCall::ask(std::size_t reply, const api::Disconnect& request) {
  Control control;
  control.keep.assign(request.whitelist.begin(), request.whitelist.end());
  control.code = request.code;
  control.reason = request.reason;
  tell_user(reply, request.who, control);
}

void ApiCall::ask(std::size_t reply, const api::Presence& request) {
  const auto target = target_of(request.channel);
  if (!target) return refuse(replies_[reply], target.error());
  if (!target->options->presence) return refuse(replies_[reply], kNotAvailable);
  parts_.router.members(parts_.router.name(target->channel), question(reply));
}

void ApiCall::ask(std::size_t reply, const api::PresenceStats& request) {
  const auto target = target_of(request.channel);
  if (!target) return refuse(replies_[reply], target.error());
  if (!target->options->presence) return refuse(replies_[reply], kNotAvailable);
  parts_.router.members(parts_.router.name(target->channel),
                        question(reply, 0, ShardMessage::kNumbersOnly));
}

void ApiCall::ask(std::size_t reply, const api::ListConnections& request) {
  parts_.router.members(parts_.router.name(request.user.channel()), question(reply));
}

void ApiCall::ask(std::size_t reply, const api::History& request) {
  const auto target = target_of(request.channel);
  if (!target) return refuse(replies_[reply], target.error());
  if (!target->options->has_history()) return refuse(replies_[reply], kNotAvailable);
  std::optional<Position> since;
  if (request.since) {
    const auto epoch = parse_epoch(request.since->epoch);
    if (!epoch) return refuse(replies_[reply], kUnrecoverable);
    since = Position{*epoch, request.since->offset};
  }
  replies_[reply].is_since = since.has_value();
  const std::uint32_t count =
      request.limit < 0 ? ShardMessage::kAll : static_cast<std::uint32_t>(request.limit);
  const std::uint8_t flags = request.reverse ? ShardMessage::kReverse : std::uint8_t{0};
  parts_.router.history(parts_.router.name(target->channel), since, count,
                        question(reply, 0, flags));
}

void ApiCall::ask(std::size_t reply, const api::HistoryRemove& request) {
  const auto target = target_of(request.channel);
  if (!target) return refuse(replies_[reply], target.error());
  if (!target->options->has_history()) return refuse(replies_[reply], kNotAvailable);
  parts_.router.remove_history(parts_.router.name(target->channel), question(reply));
}

void ApiCall::ask(std::size_t reply, const api::Channels& request) {
  const Question first = question(reply);
  // One question, which every shard answers.
  replies_[reply].due += parts_.shards - 1;
  due_ += parts_.shards - 1;
  long_due_ += parts_.shards - 1;
  parts_.router.list_channels(request.pattern, first);
}

void ApiCall::ask(std::size_t reply, const api::Info&) {
  const InstanceFigures figures = parts_.instance.figures();
  api::InfoResult::Node node;
  node.uid = figures.id;
  node.name = "sluice";
  node.version = figures.version;
  node.num_clients = figures.sessions;
  node.num_users = figures.users;
  node.num_subs = figures.subscriptions;
  node.num_channels = figures.channels;
  node.uptime = figures.uptime_seconds;
  api::append_result(replies_[reply].text, place(), api::InfoResult{std::span(&node, 1)});
}

void ApiCall::on_answer(const ShardMessage& message, std::uint32_t& next_request) {
  const auto asked = std::lower_bound(
      questions_.begin(), questions_.end(), message.request,
      [](const Asked& one, std::uint32_t request) { return one.request < request; });
  if (asked == questions_.end() || asked->request != message.request) return;
  Reply& reply = replies_[asked->reply];
  if (reply.due == 0) return;
  --reply.due;
  --due_;
  if (has_long_answer(reply.method)) --long_due_;
  complete(reply, message, asked->detail);
  if (reply.due == 0) {
    answer_bytes_ += reply.text.size();
    if (answer_bytes_ > parts_.limits.call_bytes && form_ != Form::kOne) {
      answer_bytes_ -= reply.text.size();
      reply.text = {};
      refuse(reply, kNotAvailable);  // those before it are as much as one answer may be
    }
  }
  next_request_ = &next_request;
  go_on();
  next_request_ = nullptr;
}

ApiCall::Answer ApiCall::take_answer() {
  Answer answer;
  if (form_ != Form::kOne) {
    std::vector<std::string> texts;
    for (Reply& reply : replies_) {
      if (reply.refusal) api::append_error(reply.text, *reply.refusal);
      texts.push_back(std::move(reply.text));
    }
    if (form_ == Form::kBatch) {
      api::append_batch(answer.body, texts);
    } else {
      for (const std::string& text : texts) answer.body.append(text).append("\n");
    }
    return answer;
  }
  Reply& reply = replies_.front();
  if (!reply.refusal) {
    answer.body = std::move(reply.text);
    return answer;
  }
  if (reply.refusal->is_malformed) return {400, "Bad Request\n", false, false};
  if (reply.refusal->code == ErrorCode::kInternal) {
    answer.status = 503;
    answer.may_retry = true;
  }
  if (!transport_errors_) {
    api::append_error(answer.body, *reply.refusal);
    return answer;
  }
  if (!answer.may_retry) answer.status = static_cast<int>(api::http_status(reply.refusal->code));
  api::append_bare_error(answer.body, *reply.refusal);
  return answer;
}

}  // namespace sluice
