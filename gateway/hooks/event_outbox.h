// Tells the application server what has happened on a shard: connections that came and went,
// channels that got their first subscriber or lost their last.
//
// One delivery is under way at a time, of as many events as wait, so events arrive in their order.
// A delivery that is not answered with a status from 200 to 299 is made again, after a pause that
// doubles and is drawn at random; so each event arrives at least once, unless it is lost for a
// reason that is counted, and the next delivery says how many were. With a journal that holds over
// ends of the process, too, except for the last moment before a crash; a delivery does not wait for
// the disk.
//
// Invariants
//   1. Nothing here makes anybody wait: what there is no room for is lost.
//   2. A delivery made again has the same id, the same events and the next attempt's number, unless
//      some of its events have become too old meanwhile.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/base/random.h"
#include "core/reactor.h"
#include "gateway/hooks/event_queue.h"
#include "gateway/hooks/hook_desk.h"
#include "proto/hooks/event.h"

namespace sluice {

// Owned by a shard, on its thread; ends before its HttpClient.
class EventOutbox final : private HttpReplySink {
 public:
  EventOutbox(const HookParts& parts, HttpClient& client);

  void report(const hooks::Event& event) noexcept;
  // What the disk has from an earlier process, in its order; before anything is reported.
  void restore(std::span<const StoredEvent> stored) noexcept;

  // The shard stops: what waits is tried soon and often.
  void hurry() noexcept;
  // There is no more time: what waits now, or is reported later, stays on disk or is lost. What
  // became of those that wait; nothing if that was said before.
  struct LeftOver {
    std::uint64_t kept = 0;
    std::uint64_t lost = 0;
  };
  LeftOver give_up() noexcept;
  // Nothing waits, or there is no time for it.
  bool is_empty() const noexcept { return has_given_up_ || queue_.empty(); }

 private:
  void on_http_reply(std::uint32_t request, const HttpReply& reply) noexcept override;
  void on_timer() noexcept;
  void begin_soon() noexcept;
  void deliver() noexcept;
  void post() noexcept;
  Duration pause() noexcept;
  std::string next_id() noexcept;

  const HookSettings& settings_;
  hooks::Signer& signer_;
  Reactor& reactor_;
  Random& random_;
  HttpClient& client_;
  HookCounters& counters_;
  EventQueue queue_;
  std::string id_;    // of the delivery that is lent for
  std::string body_;  // of the one under way
  std::string fields_;
  std::vector<std::string> lent_;
  std::uint32_t attempt_ = 0;   // of it
  std::uint32_t failures_ = 0;  // in a row
  Time began_at_{};
  Timer timer_;  // armed between two tries
  bool is_under_way_ = false;
  bool is_hurried_ = false;
  bool has_given_up_ = false;
  bool keeps_ = false;  // what is reported from now on stays on disk
};

}  // namespace sluice
