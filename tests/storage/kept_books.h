// The books of what was published to an instance that keeps it on disk, and of what was there after
// each crash. They know nothing of how it is kept: answers, what subscribers got, and histories.
//
// Everything published has a number of its own, which is its data.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"

namespace sluice::test {

struct SentOne {
  std::string where;  // a channel, or a user behind "user "
  bool is_sync = false;
  bool is_answered = false;
  Time answered_at;
  bool may_have_gone_to_session = false;
  bool is_excused = false;  // it may have been on a connection that was reset
};

// How a life of the instance ended.
struct LifeEnd {
  Time at;
  bool loses_nothing = false;      // an orderly stop, or one long after the last publication
  std::optional<Time> trouble_at;  // the disk had failed, and not all was on it again
};

// A channel's history, as it was asked for.
struct KeptHistory {
  std::string epoch;
  std::uint64_t top = 0;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> entries;  // offset, number
};

// Owned by a test.
class KeptBooks {
 public:
  // `interval`: what an answer without sync may lose at most.
  explicit KeptBooks(Duration interval) : interval_(interval) {}

  std::uint64_t send(std::string_view where, bool is_sync);
  SentOne& sent(std::uint64_t number) { return sent_[number - 1]; }
  void answer(std::uint64_t number, Time now);
  // Somebody saw that publication at that position.
  void see(std::string_view channel, std::string_view epoch, std::uint64_t offset,
           std::uint64_t number, std::string_view who);
  // A subscriber that stood at `before` got `offset`.
  void follow(std::string_view channel, std::uint64_t before, std::uint64_t offset);
  void receive_mail(std::string_view user, std::uint64_t number);

  // A connection of the user was reset, because the instance died while it had unread input. What
  // the kernel had accepted for it counts as delivered, and is lost.
  void excuse_mail(std::string_view user);

  // After a start, before anything is published.
  void check(std::string_view channel, const KeptHistory& found, const LifeEnd& end);
  // Once all users have fetched everything. `ends`: of all lives that answered anything.
  void check_mail(const std::vector<LifeEnd>& ends);

  const std::vector<std::string>& faults() const { return faults_; }
  std::uint64_t lost() const { return lost_; }
  std::uint64_t answered() const { return answered_; }
  std::uint64_t epochs_continued() const { return epochs_continued_; }
  std::uint64_t epochs_begun() const { return epochs_begun_; }
  std::uint64_t mail_doubled() const { return mail_doubled_; }

 private:
  struct Channel {
    std::map<std::string, std::map<std::uint64_t, std::uint64_t>> seen;  // epoch, offset: number
    std::string epoch;                                                   // the newest that was seen
    std::vector<std::uint64_t> answered;                                 // since the last start
    std::vector<std::uint64_t> kept;                                     // after it
  };

  void fault(std::string text) { faults_.push_back(std::move(text)); }
  void check_entries(std::string_view name, const KeptHistory& found);
  void check_epoch(std::string_view name, Channel& channel, const KeptHistory& found,
                   const LifeEnd& end);
  void check_lost(std::uint64_t number, const LifeEnd& end);

  const Duration interval_;
  std::vector<SentOne> sent_;
  std::map<std::string, Channel, std::less<>> channels_;
  std::map<std::uint64_t, int> mail_;
  std::vector<std::string> faults_;
  std::uint64_t lost_ = 0;
  std::uint64_t answered_ = 0;
  std::uint64_t epochs_continued_ = 0;
  std::uint64_t epochs_begun_ = 0;
  std::uint64_t mail_doubled_ = 0;
};

}  // namespace sluice::test
