// Frames of the Centrifuge protocol: what is read of them, and what goes out again.
#include <string>
#include <string_view>
#include <variant>

#include "core/base/check.h"
#include "proto/centrifuge/channel_name.h"
#include "proto/centrifuge/codes.h"
#include "proto/centrifuge/command.h"
#include "proto/centrifuge/reply.h"
#include "proto/ws/utf8.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/json_judge.h"

namespace sluice::fuzz {
namespace {

using namespace centrifuge;

void check_text(std::string_view text) { SLUICE_CHECK(ws::is_valid_utf8(as_bytes(text))); }

void check_out(std::string_view out) {
  check_text(out);
  SLUICE_CHECK(is_json(out) && is_json_value(out));
  SLUICE_CHECK(out.find_first_of("\r\n") == std::string_view::npos);
}

// What one encoder appends is one whole message.
template <class Append>
void check_appended(Append append) {
  std::string out;
  append(out);
  check_out(out);
}

// Results and pushes that carry what clients sent, and those that carry nothing of it.
void check_results(std::string_view text, std::string_view data, const Publication& publication) {
  const std::uint64_t offset = text.size();
  const SubscribeResult joined{true, 7,      true, text, {&publication, 1},
                               true, offset, true, data, true};
  std::string result;
  append_subscribe_result(result, joined);
  check_out(result);
  const ServerSubscription sub{text, result};
  const ConnectResult connected{text, text, true, 7, data, {&sub, 1}, 25, true};
  const ClientInfo info{text, text, data, {}};
  check_appended([&](auto& out) { append_subscribe_reply(out, 1, result); });
  check_appended([&](auto& out) { append_reply(out, 1, connected); });
  check_appended([&](auto& out) { append_reply(out, 1, UnsubscribeResult{}); });
  check_appended([&](auto& out) { append_reply(out, 1, PublishResult{}); });
  check_appended([&](auto& out) { append_reply(out, 1, PresenceStatsResult{1, 2}); });
  check_appended([&](auto& out) {
    append_reply(out, 1, HistoryResult{{&publication, 1}, text, 3});
  });
  check_appended([&](auto& out) { append_reply(out, 1, RefreshResult{true, 7}); });
  check_appended([&](auto& out) { append_reply(out, 1, SubRefreshResult{true, 7}); });
  check_appended([&](auto& out) { append_reply(out, 1, errors::kBadRequest); });
  check_appended([&](auto& out) { append_join_push(out, text, info); });
  check_appended([&](auto& out) { append_leave_push(out, text, info); });
  const SubscribePush push{true, text, offset, true, data};
  check_appended([&](auto& out) { append_subscribe_push(out, text, push); });
  check_appended([&](auto& out) { append_unsubscribe_push(out, text, unsubscribes::kExpired); });
  check_appended([&](auto& out) { append_message_push(out, data.empty() ? "null" : data); });
  check_appended([&](auto& out) { append_refresh_push(out, RefreshResult{true, 7}); });
}

// Whatever a client sent can be told to others.
void check_echo(std::string_view channel, std::string_view data) {
  check_text(channel);
  SLUICE_CHECK(data.empty() || is_json(data));
  // What goes out lies deeper than it came in; ours is a reader with a limit.
  if (!data.empty() && !is_json("[[[[" + std::string(data) + "]]]]")) return;
  const ClientInfo info{channel, "client", data, data};
  std::string publisher;
  append_client_info(publisher, info);
  check_out(publisher);
  Publication publication{data};
  publication.info = publication.tags = publisher;
  std::string out;
  append_publication_push(out, channel, publication);
  check_out(out);
  out.clear();
  append_reply(out, 1, PresenceResult{{&info, 1}});
  check_out(out);
  check_results(channel, data, publication);
}

void check_channel(std::string_view channel) {
  SLUICE_CHECK(!channel.empty());
  if (is_user_allowed(channel, "42")) SLUICE_CHECK(is_user_limited(channel));
  SLUICE_CHECK(is_user_allowed(personal_channel("42"), "42"));
}

struct Check {
  void operator()(const Pong&) const {}
  void operator()(const PingRequest&) const {}
  void operator()(const ConnectRequest& request) const {
    check_echo(request.token, request.data);
    check_echo(request.name, {});
    check_echo(request.version, {});
    SubsReader subs(request.subs);
    for (SubscribeRequest sub; subs.next(sub);) check_subscription(sub);
    SLUICE_CHECK(!subs.fault());
  }
  void operator()(const SubscribeRequest& request) const {
    check_channel(request.channel);
    check_subscription(request);
  }
  void operator()(const PublishRequest& request) const {
    check_channel(request.channel);
    check_echo(request.channel, request.data);
  }
  void operator()(const HistoryRequest& request) const {
    check_channel(request.channel);
    if (request.since) check_echo(request.since->epoch, {});
  }
  void operator()(const SubRefreshRequest& request) const {
    check_channel(request.channel);
    check_echo(request.token, {});
  }
  void operator()(const RpcRequest& request) const { check_echo(request.method, request.data); }
  void operator()(const SendRequest& request) const { check_echo({}, request.data); }
  void operator()(const RefreshRequest& request) const { check_echo(request.token, {}); }
  template <class ChannelRequest>
  void operator()(const ChannelRequest& request) const {
    check_channel(request.channel);
  }

 private:
  static void check_subscription(const SubscribeRequest& request) {
    check_echo(request.channel, request.data);
    check_echo(request.token, request.tag_filter);
    check_echo(request.position.epoch, {});
  }
};

}  // namespace

void centrifuge_commands(ConstBytes input) {
  const ExactCopy copy(input);
  if (!ws::is_valid_utf8(copy.bytes())) return;
  CommandReader reader(copy.text());
  Command command;
  std::string_view rest = reader.rest();
  while (reader.next(command)) {
    const std::size_t taken = rest.size() - reader.rest().size();
    SLUICE_CHECK(taken > 0 && is_json(rest.substr(0, taken)));
    rest = reader.rest();
    const bool may_lack_id = std::holds_alternative<Pong>(command.request) ||
                             std::holds_alternative<SendRequest>(command.request);
    SLUICE_CHECK(command.id != 0 || may_lack_id);
    std::visit(Check(), command.request);
  }
  SLUICE_CHECK(reader.fault() || rest.empty());
  SLUICE_CHECK(!reader.next(command));
}

}  // namespace sluice::fuzz
