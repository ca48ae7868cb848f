// A speaker whose messages are numbered, and what others hear of them: with the gap messages
// between them the numbers say exactly what was missed, and where.
#pragma once

#include <algorithm>
#include <charconv>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/sim/sim_world.h"

namespace sluice::test {

inline constexpr std::size_t kPadding = 1000;

inline Limits small_queues(std::size_t write_queue = 64 * kKiB) {
  Limits limits;
  limits.write_queue = write_queue;
  return limits;
}

inline Namespaces both(SlowConsumer policy) {
  Namespaces namespaces;
  namespaces.of(Namespaces::kChat).slow_consumer = policy;
  namespaces.of(Namespaces::kUser).slow_consumer = policy;
  return namespaces;
}

inline std::uint64_t number_behind(std::string_view text, std::string_view key) {
  const std::size_t at = text.find(key);
  std::uint64_t number = 0;
  if (at != std::string_view::npos) {
    const char* const digits = text.data() + at + key.size();
    std::from_chars(digits, text.data() + text.size(), number);
  }
  return number;
}

// What a client heard of a stream of numbered messages.
struct Heard {
  std::uint64_t received = 0;
  std::uint64_t missed = 0;
  std::uint64_t since_gap = 0;  // received behind the last gap
  std::vector<std::uint64_t> gaps;
  bool in_place = true;  // each message had the number that the ones before it and gaps announce
};

inline Heard heard(const SimClient& client) {
  Heard heard;
  for (const std::string& message : client.messages) {
    if (message.find("\"gap\"") != std::string::npos) {
      heard.gaps.push_back(number_behind(message, "\"missed\":"));
      heard.missed += heard.gaps.back();
      heard.since_gap = 0;
    } else if (message.find("\"n\":") != std::string::npos) {
      heard.in_place &= number_behind(message, "\"n\":") == heard.received + heard.missed;
      ++heard.received;
      ++heard.since_gap;
    }
  }
  return heard;
}

// An instance with clients of it, one of which is the speaker.
struct Stream {
  explicit Stream(const SimOptions& options, std::uint32_t shards, const Limits& limits,
                  const Namespaces& namespaces, const Compression& compression = {})
      : network(options),
        scheduler(network),
        instance(network, scheduler, kAddress, shards, limits, namespaces, std::nullopt,
                 compression) {}

  SimClient& connect(std::string_view path, const std::string& first = {},
                     std::string_view extensions = {}) {
    clients.push_back(std::make_unique<SimClient>(network, kAddress, path, extensions));
    if (!first.empty()) clients.back()->send_text(first);
    return *clients.back();
  }
  bool run_until(const std::function<bool()>& done) {
    return scheduler.run_until([&] {
      for (auto& client : clients) client->poll();
      most_used = std::max(most_used, used());
      return done();
    });
  }
  bool all_open() {
    return run_until([&] {
      return std::all_of(clients.begin(), clients.end(), [](auto& c) { return c->is_open(); });
    });
  }
  bool run_for(Duration time) {
    const bool ran = scheduler.run_for(time);
    for (auto& client : clients) client->poll();
    return ran;
  }
  std::size_t queued() {
    std::int64_t bytes = 0;
    for (std::uint32_t i = 0; i < instance.shard_count(); ++i) {
      bytes += instance.shard(i).reactor().counters().queued_bytes.value();
    }
    return static_cast<std::size_t>(bytes);
  }
  // Memory of all pools, when a turn has ended.
  std::size_t used() {
    std::int64_t bytes = 0;
    for (std::uint32_t i = 0; i < instance.shard_count(); ++i) {
      bytes += instance.shard(i).block_counters().bytes_in_use.value();
    }
    return static_cast<std::size_t>(bytes);
  }
  std::uint64_t dropped(Drop reason) {
    return instance.sum([reason](const ShardCounters& counters) {
      return counters.dropped[static_cast<std::size_t>(reason)].value();
    });
  }
  // The speaker's numbered messages, to everybody or to user U.
  void say(int count, std::string_view type = "message") {
    for (int i = 0; i < count; ++i) {
      speaker->send_text(R"({"msg_type":")" + std::string(type) + R"(","to_user":"U","n":)" +
                         std::to_string(said++) + R"(,"m":")" + std::string(kPadding, 'x') + "\"}");
    }
  }
  bool has_all(const SimClient& client) {
    const Heard all = heard(client);
    return all.received + all.missed == said;
  }

  SimNetwork network;
  SimScheduler scheduler;
  SimInstance instance;
  std::vector<std::unique_ptr<SimClient>> clients;
  SimClient* speaker = nullptr;
  std::uint64_t said = 0;
  std::size_t most_used = 0;
};

}  // namespace sluice::test
