// Every limit of the gateway, with its default and its relation to the others.
//
// Nothing that a peer can make grow is unbounded, and this is the one place that says where it
// ends. Each limit has a defined outcome (behind the arrow) and a counter where it is enforced.
// Sizes are in bytes and inclusive: a message of exactly `max_message` passes.
//
// Plain data, copied into each shard at start and constant from then on.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "core/base/clock.h"
#include "proto/http/request.h"

namespace sluice {

inline constexpr std::size_t kKiB = 1024;
inline constexpr std::size_t kMiB = 1024 * kKiB;
inline constexpr std::size_t kGiB = 1024 * kMiB;

// A channel keeps the shards that have subscribers as the bits of one word.
inline constexpr unsigned kShardsMax = 64;

// One shard's part of a limit of the instance. All parts together are at least the whole.
constexpr std::size_t share(std::size_t total, std::size_t shards) noexcept {
  return (total + shards - 1) / shards;
}
static_assert(share(10, 5) == 2 && share(11, 5) == 3 && share(1, 64) == 1 && share(0, 3) == 0);

struct Limits {
  // The HTTP side of a connection. The number of fields is bounded where they are kept, by
  // http::kFieldsMax.
  std::size_t max_head = http::kHeadMax;                   // request line and header -> 431
  Duration handshake_timeout = std::chrono::seconds(10);   // from accept to a whole request -> 408
  Duration keep_alive_timeout = std::chrono::seconds(60);  // between two requests -> close

  // What one client may send.
  std::size_t max_message = 1 * kMiB;                    // all fragments together -> 1009
  std::size_t max_fragments = 4096;                      // of one message -> 1008
  Duration fragment_timeout = std::chrono::seconds(30);  // first to last fragment -> 1008
  std::size_t max_errors = 100;  // error answers of the client's own making -> 1008
  std::size_t max_pings = 100;   // in a second -> 1008

  // What waits to be sent. An empty queue takes any one message within max_message.
  std::size_t write_queue = 1 * kMiB;                 // one session -> its channels' SlowConsumer
  std::size_t write_queues_total = 256 * kMiB;        // the instance -> the largest queues give way
  Duration write_timeout = std::chrono::seconds(30);  // output and no progress -> abort

  // Connections.
  std::size_t max_connections = 0;                 // 0: what the descriptor limit allows -> 503
  std::size_t max_connections_per_address = 0;     // 0: off -> 503
  Duration retry_after = std::chrono::seconds(5);  // what a 503 asks for

  // Is the other end alive, and does it end properly?
  Duration ping_interval = std::chrono::seconds(25);
  Duration ping_timeout = std::chrono::seconds(20);  // a ping without any answer -> abort
  Duration close_timeout = std::chrono::seconds(5);  // our close until the peer's end -> abort
  std::size_t linger_bytes = 4 * kMiB;               // input discarded while closing -> abort

  // The domain.
  std::size_t max_channels = 1'000'000;  // of the instance -> error `unavailable`
  Duration client_list_interval = std::chrono::seconds(1);  // a session -> its newest request waits

  // What is kept: the oldest goes first. What a channel keeps is up to its namespace.
  std::size_t histories_total = 256 * kMiB;  // the oldest history goes whole
  std::size_t publication_ids = 200'000;     // to tell repetitions -> the oldest is forgotten
  std::size_t answer_bytes = 16 * kMiB;      // of a home to one question -> cut off, or an error
  std::size_t call_bytes = 64 * kMiB;        // one API call publishes, or is answered -> error
  std::size_t page_messages = 100;           // of the group chat's history in the page
  std::size_t mailbox_messages = 1000;       // of one absent user -> drop, told as a gap
  std::size_t mailbox_bytes = 1 * kMiB;      // of one absent user -> the same
  std::size_t mailboxes_total = 64 * kMiB;   // the user idle longest loses all -> drop
  Duration mailbox_time = std::chrono::hours(24);  // -> drop, told as a gap

  // What waits for the disk, with --data -> kept later as a whole; `sync` is refused.
  std::size_t data_queue = 64 * kMiB;
  Duration data_sync_interval = std::chrono::milliseconds(100);  // what a crash may cost

  // The robot of the group chat, per shard.
  std::size_t robot_questions = 64;                      // under way -> not asked
  std::size_t robot_question_bytes = 16 * kMiB;          // of all under way -> not asked
  Duration robot_timeout = std::chrono::seconds(3);      // -> silence
  std::size_t robot_reply = 64 * kKiB;                   // header included -> silence
  Duration robot_rest = std::chrono::milliseconds(500);  // once unreachable -> not asked

  // Lines for requests in any one second, all shards together -> counted, and the count logged.
  std::size_t access_lines = 100;

  // Between shards.
  std::size_t inbox_entries = 4096;     // one ring; full -> entries wait aside, input stops
  std::size_t inbox_aside = 64 * kMiB;  // aside, for input that cannot stop, per shard -> drop

  Duration shutdown_timeout = std::chrono::seconds(5);  // SIGTERM to exit -> the rest is aborted
};

// What is wrong between two limits, as one line that names their options; null when nothing is.
// Each value on its own is held to its range by the table of options.
constexpr const char* relation_fault(const Limits& limits) noexcept {
  if (limits.write_queue > limits.write_queues_total) {
    return "--write-queue is above --write-queues-total: lower the first or raise the second";
  }
  if (limits.max_message > limits.write_queues_total) {
    return "--max-message is above --write-queues-total: lower the first or raise the second";
  }
  if (limits.max_message > limits.inbox_aside) {
    return "--max-message is above --inbox-aside: lower the first or raise the second";
  }
  if (limits.mailbox_bytes > limits.mailboxes_total) {
    return "--mailbox-size is above --mailboxes-total: lower the first or raise the second";
  }
  if (limits.max_connections != 0 && limits.max_connections_per_address > limits.max_connections) {
    return "--max-connections-per-address is above --max-connections: lower the first or raise the "
           "second";
  }
  return nullptr;
}

inline constexpr Limits kDefaultLimits{};
static_assert(relation_fault(kDefaultLimits) == nullptr, "the defaults must start");
static_assert(kDefaultLimits.max_head == 16 * kKiB, "what the documents promise");
static_assert(kDefaultLimits.access_lines >= kShardsMax, "every shard can say something");
static_assert(http::kFieldsMax == 100, "what the documents promise");
static_assert((kDefaultLimits.inbox_entries & (kDefaultLimits.inbox_entries - 1)) == 0,
              "a ring is indexed with a mask");
static_assert(kDefaultLimits.ping_timeout < kDefaultLimits.ping_interval,
              "the answer to one ping is due before the next one leaves");
static_assert(kDefaultLimits.close_timeout <= kDefaultLimits.shutdown_timeout,
              "a shutdown leaves every session its time to close");

}  // namespace sluice
