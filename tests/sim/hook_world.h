// An instance with hooks, and the application server that a test is.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "gateway/hooks/hook_settings.h"
#include "tests/sim/centrifuge_world.h"
#include "tests/sim/scripted_http.h"

namespace sluice::test {

// What the application server does, by hook. Outlives the instances that ask it.
struct HookScripts {
  HookScripts() {
    for (Script& script : scripts) {
      script.fate = [](std::string_view) {
        return Script::Fate{std::chrono::milliseconds(10), Script::Kind::kAnswered, 200,
                            R"({"result":{}})"};
      };
    }
  }
  Script& of(HookKind kind) { return scripts[static_cast<std::size_t>(kind)]; }
  void answer(HookKind kind, std::string body, int status = 200,
              Duration after = std::chrono::milliseconds(10)) {
    of(kind).fate = [=](std::string_view) {
      return Script::Fate{after, Script::Kind::kAnswered, status, body};
    };
  }
  void fail(HookKind kind, Script::Kind how) {
    of(kind).fate = [how](std::string_view) {
      return Script::Fate{std::chrono::milliseconds(10), how, 0, {}};
    };
  }
  // All events that were taken or not, in the order of their coming.
  std::string events() {
    std::string out;
    for (const std::string& body : of(HookKind::kEvents).asked) out += body;
    return out;
  }

  std::array<Script, kHookKinds> scripts;
};

// The application server is asked and told everything, and of clients of these dialects who they
// are.
inline void add_hooks(InstanceOptions& options, HookScripts& scripts,
                      std::vector<DialectKind> connect_for) {
  options.hooks.emplace();
  options.hooks->settings.connect_for = std::move(connect_for);
  for (std::size_t i = 0; i < kHookKinds; ++i) {
    options.hooks->settings.urls[i] = "http://app/";
    options.hooks->clients[i] = [&script = scripts.scripts[i]](Reactor& reactor) {
      return std::make_unique<ScriptedClient>(reactor, script);
    };
  }
  for (const DialectKind dialect : options.hooks->settings.connect_for) {
    options.admission.are_asked_about[static_cast<std::size_t>(dialect)] = true;
  }
}

// `room` is where the application server decides; `open` is open.
inline InstanceOptions hooked_options(HookScripts& scripts, std::vector<DialectKind> connect_for = {
                                                                DialectKind::kCentrifuge}) {
  InstanceOptions options;
  const std::vector<std::string> settings = {"room.subscribe_hook=on", "room.publish_hook=on",
                                             "room.history_messages=10", "open.subscribe=everybody",
                                             "open.publish=everybody"};
  SLUICE_CHECK(!options.namespaces.set(settings));
  add_hooks(options, scripts, std::move(connect_for));
  return options;
}

// One instance of two shards with hooks, its clients and its application server.
struct Hooked {
  explicit Hooked(std::vector<DialectKind> connect_for = {DialectKind::kCentrifuge})
      : world(hooked_options(scripts, std::move(connect_for))) {}

  std::uint64_t outcomes(HookKind kind, HookOutcome outcome) {
    return world.instance().sum([=](const ShardCounters& c) {
      return c.hooks.kinds[static_cast<std::size_t>(kind)]
          .outcomes[static_cast<std::size_t>(outcome)]
          .value();
    });
  }
  // Lets time pass and hears what a client was told.
  std::string wait(SimClient& client, Duration time) { return world.hear(client, time); }

  HookScripts scripts;
  CentrifugeWorld world;
};

}  // namespace sluice::test
