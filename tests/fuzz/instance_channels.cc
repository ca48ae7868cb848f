#include "tests/fuzz/instance_channels.h"

#include <array>
#include <span>
#include <vector>

#include "core/base/check.h"

namespace sluice::fuzz {
namespace {

// Of each channel the receiver of its marks is the last letter.
constexpr std::array<std::string_view, 5> kChannels = {"hist:1", "hist:2", "n", "chat", "#A"};
constexpr std::array<std::string_view, 6> kMembers = {
    "",
    R"(,"join_leave":true)",
    R"(,"recover":true,"offset":0,"epoch":"")",
    R"(,"recover":true,"offset":3)",
    R"(,"recover":true,"offset":1,"epoch":"7","flag":2)",
    R"(,"token":"x")"};
constexpr std::array<std::string_view, 6> kSpans = {
    R"(,"limit":-1)",
    R"(,"limit":2,"reverse":true)",
    "",
    R"(,"limit":9,"since":{})",
    R"(,"limit":1,"since":{"offset":2})",
    R"(,"limit":1,"reverse":true,"since":{"offset":9,"epoch":"1"})"};
constexpr std::array<std::string_view, 7> kWhole = {"{}",
                                                    R"({"id":1,"connect":{}})",
                                                    R"({"id":9,"rpc":{"method":"m"}})",
                                                    R"({"id":9,"refresh":{"token":"x"}})",
                                                    R"({"send":{"data":1}})",
                                                    R"({"id":9,"ping":{}})",
                                                    R"({"id":9,"connect":{"subs":{"#A":{}}}})"};
constexpr std::array<std::string_view, 5> kUserCalls = {"disconnect", "unsubscribe", "subscribe",
                                                        "refresh", "connections"};
constexpr std::array<std::string_view, 4> kChannelCalls = {"presence", "presence_stats", "history",
                                                           "history_remove"};
constexpr std::array<std::string_view, 5> kUserMembers = {
    R"(,"channel":"hist:1","recover_since":{"offset":1},"override":{"presence":{}})",
    R"(,"channel":"n","expire_at":20)", R"(,"expire_at":9,"info":[1])", R"(,"expired":true)", ""};

std::string draw_command(Choices& choices, const Marked& marked, bool& may_repeat) {
  const std::string_view channel = kChannels[choices.below(kChannels.size())];
  const std::string begin = R"({"id":)" + std::to_string(1 + choices.below(256)) + ",\"";
  const std::string at = "\":{\"channel\":\"" + std::string(channel) + "\"";
  switch (choices.below(10)) {
    case 0:
      return std::string(kWhole[choices.below(kWhole.size())]);
    case 1:
    case 2:
      may_repeat = true;  // what it follows anew it may be told once more
      return begin + "subscribe" + at + std::string(kMembers[choices.below(kMembers.size())]) +
             "}}";
    case 3:
      return begin + "unsubscribe" + at + "}}";
    case 4:
      may_repeat = true;
      return begin + "history" + at + std::string(kSpans[choices.below(kSpans.size())]) + "}}";
    case 5:
      return begin + (choices.below(2) == 1 ? "presence" : "presence_stats") + at + "}}";
    case 6:
      return begin + "sub_refresh" + at + R"(,"token":"x"}})";
    default:
      return begin + "publish" + at + R"(,"data":)" + marked(channel.substr(channel.size() - 1)) +
             "}}";
  }
}

// The method is the first, its parameters the second.
std::pair<std::string_view, std::string> draw_request(Choices& choices, const Marked& marked) {
  const std::string channel(kChannels[choices.below(kChannels.size())]);
  const std::string at = R"({"channel":")" + channel + "\"";
  switch (choices.below(8)) {
    case 0:
      return {"broadcast", R"({"channels":["hist:1","n","x:1"],"data":1})"};
    case 1:
      return {kChannelCalls[choices.below(kChannelCalls.size())],
              at + std::string(kSpans[choices.below(kSpans.size())]) + "}"};
    case 2:
      return {
          kUserCalls[choices.below(kUserCalls.size())],
          R"({"user":"A")" + std::string(kUserMembers[choices.below(kUserMembers.size())]) + "}"};
    case 3:
      return {"channels", R"({"pattern":"*1"})"};
    case 4:
      return {"info", std::string(as_text(choices.take(choices.below(32))))};
    default:
      return {"publish", at + R"(,"data":)" +
                             marked(std::string_view(channel).substr(channel.size() - 1)) +
                             (choices.below(4) == 1 ? R"(,"idempotency_key":"k"})" : "}")};
  }
}

}  // namespace

void offer_channels(InstanceOptions& options, Choices& choices) {
  const std::string kept = std::to_string(1 + choices.below(5));
  const std::vector<std::string> settings = {"hist.history_messages=" + kept,
                                             "hist.subscribe=everybody",
                                             "hist.publish=everybody",
                                             "hist.presence=on",
                                             "hist.join_leave=on",
                                             "default.subscribe=everybody",
                                             "default.publish=subscribers"};
  SLUICE_CHECK(!options.namespaces.set(settings));
  options.namespaces.of("hist").slow_consumer = static_cast<SlowConsumer>(choices.below(3));
  options.api_keys = {"key"};
  options.api.on_clients = true;
  options.api.max_body = 4096;
}

Saying draw_commands(Choices& choices, const Marked& marked) {
  Saying saying;
  if (choices.below(4) == 1) saying.text = kWhole[1];
  for (std::size_t count = 1 + choices.below(4); count > 0; --count) {
    if (!saying.text.empty()) saying.text += '\n';
    saying.text += draw_command(choices, marked, saying.may_repeat);
  }
  return saying;
}

std::string draw_call(Choices& choices, const Marked& marked) {
  std::string path = "/api/";
  std::string body;
  const std::size_t form = choices.below(6);
  for (std::size_t count = form < 2 ? 1 + choices.below(4) : 1; count > 0; --count) {
    const auto [method, parameters] = draw_request(choices, marked);
    if (form == 0) {
      body += (body.empty() ? R"({"commands":[)" : ",") + (R"({")" + std::string(method)) +
              "\":" + parameters + "}";
    } else if (form == 1) {
      body += R"({"method":")" + std::string(method) + R"(","params":)" + parameters + "}\n";
    } else {
      path += method;
      body = parameters;
    }
  }
  if (form == 0) body += "]}";
  if (form < 2) path = form == 0 ? "/api/batch" : "/api";
  const std::size_t size = choices.below(16) == 1 ? choices.below(64) : body.size();
  return "POST " + path + " HTTP/1.1\r\nHost: localhost\r\nX-API-Key: key\r\nContent-Length: " +
         std::to_string(size) + "\r\n\r\n" + body;
}

}  // namespace sluice::fuzz
