// Clients of the Centrifuge protocol in a simulation, and what they say and hear.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tests/proto/token/sign.h"
#include "tests/sim/sim_world.h"

namespace sluice::test {

inline constexpr std::string_view kCentrifugePath = "/connection/websocket";
inline constexpr std::string_view kTokenKey = "the secret of these tests";

// Nothing is remembered in `news`; `hist` remembers five messages, and tells who comes and goes.
inline Namespaces centrifuge_namespaces() {
  Namespaces namespaces;
  const std::vector<std::string> settings = {
      "default.subscribe=everybody", "default.publish=subscribers",    "hist.history_messages=5",
      "hist.subscribe=everybody",    "hist.publish=everybody",         "hist.presence=on",
      "hist.join_leave=on",          "loose.slow_consumer=drop-newest"};
  SLUICE_CHECK(!namespaces.set(settings));
  return namespaces;
}

// A token for `claims`, a JSON object.
inline std::string token_of(std::string_view claims, std::string_view key = kTokenKey) {
  return token::sign(token::kHeader, claims, key);
}

// One instance among clients. In what they hear, the id of the n-th client that connected reads as
// a letter, and epochs as E, F and so on in the order of their coming.
class CentrifugeWorld {
 public:
  explicit CentrifugeWorld(bool has_tokens = false, const SimOptions& options = {},
                           const Limits& limits = {},
                           const Namespaces& namespaces = centrifuge_namespaces(),
                           const token::Expectations& expectations = {})
      : world_(options),
        instance_(
            world_.network, world_.scheduler, kAddress, 2, limits, namespaces, std::nullopt, {},
            std::nullopt,
            SimKeys{{"secret"},
                    has_tokens ? std::vector{std::string(kTokenKey)} : std::vector<std::string>{},
                    expectations}) {}

  // With all that an instance can be told.
  explicit CentrifugeWorld(InstanceOptions options, const SimOptions& network = {})
      : world_(network),
        instance_(world_.network, world_.scheduler, kAddress, 2, {.is_loopback = true},
                  std::move(options)) {}

  SimInstance& instance() { return instance_; }
  World& world() { return world_; }

  // One that has not said its connect.
  SimClient& open(std::string_view path = kCentrifugePath) {
    SimClient& client = world_.connect(path);
    SLUICE_CHECK(world_.all_open());
    return client;
  }
  // One that is connected; its answer is not among what it hears later.
  SimClient& connect(std::string_view token = {}) {
    SimClient& client = open();
    ask(client, token.empty() ? R"({"id":1,"connect":{}})"
                              : R"({"id":1,"connect":{"token":")" + std::string(token) + "\"}}");
    return client;
  }
  // Says `text` and lets everything happen that does at once; what the client hears then, a line
  // each.
  std::string ask(SimClient& client, std::string_view text) {
    client.send_text(text);
    return hear(client);
  }
  std::string hear(SimClient& client, Duration time = std::chrono::milliseconds(50)) {
    world_.scheduler.run_for(time);
    std::string heard;
    client.poll();
    for (std::string& message : client.messages) {
      if (!heard.empty()) heard += '\n';
      heard += plain(std::move(message));
    }
    client.messages.clear();
    return heard;
  }
  // The same for a longer time in which the client answers pings, which are left out.
  std::string live(SimClient& client, Duration time) {
    constexpr Duration kStep = std::chrono::milliseconds(100);
    std::string heard;
    for (Duration passed{}; passed < time && client.close_code == 0; passed += kStep) {
      std::string some = hear(client, kStep);
      if (const std::size_t at = some.find("{}"); at == 0 || some.ends_with("\n{}")) {
        some.erase(at == 0 ? 0 : some.size() - 3, 3);
        client.send_text("{}");
      }
      heard += some;
    }
    return heard;
  }
  // The epoch that reads so.
  std::string epoch(const std::string& name) const {
    for (const auto& [text, known] : epochs_) {
      if (known == name) return text;
    }
    return {};
  }
  std::uint64_t closes(Cause cause) {
    return instance_.sum([cause](const ShardCounters& c) {
      std::uint64_t total = 0;
      for (const Counter& code : c.closes[static_cast<std::size_t>(cause)]) total += code.value();
      return total;
    });
  }

 private:
  // Gives the values of one member names of our own.
  static void rename(std::string& text, const std::string& member, std::size_t size_min,
                     std::map<std::string, std::string>& names, char first) {
    const std::string begin = "\"" + member + "\":\"";
    for (std::size_t at = 0; (at = text.find(begin, at)) != std::string::npos;) {
      at += begin.size();
      const std::string value = text.substr(at, text.find('"', at) - at);
      if (value.size() < size_min) continue;
      const std::string next(1, static_cast<char>(first + static_cast<char>(names.size())));
      names.emplace(value, next);
    }
    for (const auto& [value, name] : names) {
      for (std::size_t at = 0; (at = text.find(value, at)) != std::string::npos;) {
        text.replace(at, value.size(), name);
      }
    }
  }
  std::string plain(std::string text) {
    rename(text, "client", 36, clients_, 'A');
    rename(text, "epoch", 5, epochs_, 'E');
    return text;
  }

  World world_;
  SimInstance instance_;
  std::map<std::string, std::string> clients_;
  std::map<std::string, std::string> epochs_;
};

}  // namespace sluice::test
