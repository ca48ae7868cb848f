#include "tests/storage/kept_books.h"

#include <algorithm>

namespace sluice::test {
namespace {

std::string text(std::uint64_t number) { return std::to_string(number); }
bool is_user(std::string_view where) { return where.starts_with("user "); }

}  // namespace

std::uint64_t KeptBooks::send(std::string_view where, bool is_sync) {
  SentOne& one = sent_.emplace_back();
  one.where = where;
  one.is_sync = is_sync;
  return sent_.size();
}

void KeptBooks::answer(std::uint64_t number, Time now) {
  SentOne& one = sent(number);
  if (one.is_answered) return;
  one.is_answered = true;
  one.answered_at = now;
  ++answered_;
  if (!is_user(one.where)) channels_[one.where].answered.push_back(number);
}

void KeptBooks::see(std::string_view name, std::string_view epoch, std::uint64_t offset,
                    std::uint64_t number, std::string_view who) {
  Channel& channel = channels_[std::string(name)];
  if (!channel.seen.contains(std::string(epoch))) channel.epoch = epoch;
  const auto [found, is_new] = channel.seen[std::string(epoch)].try_emplace(offset, number);
  if (!is_new && found->second != number) {
    fault(std::string(name) + ": " + std::string(epoch) + ':' + text(offset) + " is " +
          text(found->second) + ", and " + text(number) + " for " + std::string(who));
  }
}

void KeptBooks::follow(std::string_view channel, std::uint64_t before, std::uint64_t offset) {
  if (offset == before + 1) return;
  fault(std::string(channel) + ": a subscriber got " + text(offset) + " after " + text(before));
}

void KeptBooks::receive_mail(std::string_view user, std::uint64_t number) {
  if (mail_[number]++ > 0) ++mail_doubled_;
  if (number == 0 || number > sent_.size() || sent(number).where != user) {
    fault("mail " + text(number) + " is not for " + std::string(user));
  }
}

void KeptBooks::excuse_mail(std::string_view user) {
  for (SentOne& one : sent_) one.is_excused |= one.where == user;
}

void KeptBooks::check(std::string_view name, const KeptHistory& found, const LifeEnd& end) {
  Channel& channel = channels_[std::string(name)];
  check_epoch(name, channel, found, end);
  check_entries(name, found);
  std::vector<std::uint64_t> numbers;
  for (const auto& [offset, number] : found.entries) numbers.push_back(number);
  // What one start found, the next one finds: it was on disk.
  if (numbers.size() < channel.kept.size() ||
      !std::equal(channel.kept.begin(), channel.kept.end(), numbers.begin())) {
    fault(std::string(name) + ": what was there at the last start is not any more");
  }
  for (const std::uint64_t number : channel.answered) {
    if (std::find(numbers.begin(), numbers.end(), number) == numbers.end()) {
      check_lost(number, end);
    }
  }
  channel.epoch = found.top == 0 ? std::string() : found.epoch;
  channel.answered.clear();
  channel.kept = std::move(numbers);
}

void KeptBooks::check_entries(std::string_view name, const KeptHistory& found) {
  std::uint64_t expected = found.entries.empty() ? 0 : found.entries.front().first;
  std::set<std::uint64_t> numbers;
  for (const auto& [offset, number] : found.entries) {
    if (offset != expected++) fault(std::string(name) + ": a hole in front of " + text(offset));
    if (!numbers.insert(number).second) fault(std::string(name) + ": twice, " + text(number));
    see(name, found.epoch, offset, number, "the history");
  }
  if (!found.entries.empty() && found.entries.back().first != found.top) {
    fault(std::string(name) + ": the history ends before its position " + text(found.top));
  }
}

void KeptBooks::check_epoch(std::string_view name, Channel& channel, const KeptHistory& found,
                            const LifeEnd& end) {
  if (channel.epoch.empty()) return;  // there was no such channel
  const auto known = channel.seen.find(found.epoch);
  const bool goes_on = found.epoch == channel.epoch;
  ++(goes_on ? epochs_continued_ : epochs_begun_);
  // An older one may be back, if the disk failed when the newest began; not beyond what was seen.
  if (known != channel.seen.end() && known->second.rbegin()->first > found.top) {
    fault(std::string(name) + ": the epoch goes on after " + text(found.top) +
          ", and somebody saw " + text(known->second.rbegin()->first));
  }
  if (!goes_on && end.loses_nothing) {
    fault(std::string(name) + ": a new epoch although nothing was lost");
  }
}

void KeptBooks::check_lost(std::uint64_t number, const LifeEnd& end) {
  const SentOne& one = sent(number);
  ++lost_;
  const std::string what = one.where + ": " + text(number);
  if (one.is_sync) {
    fault(what + " was answered with sync, and is gone");
  } else if (end.loses_nothing) {
    fault(what + " is gone although nothing may be");
  } else if (end.at - one.answered_at > interval_ &&
             (!end.trouble_at || *end.trouble_at - one.answered_at > interval_)) {
    const auto age =
        std::chrono::duration_cast<std::chrono::microseconds>(end.at - one.answered_at);
    fault(what + " was answered " + std::to_string(age.count()) + " us before the end");
  }
}

void KeptBooks::check_mail(const std::vector<LifeEnd>& ends) {
  for (std::uint64_t number = 1; number <= sent_.size(); ++number) {
    const SentOne& one = sent(number);
    if (!is_user(one.where) || !one.is_answered || one.is_excused || mail_.contains(number)) {
      continue;
    }
    // Without sync it was never stored if somebody was there.
    if (one.may_have_gone_to_session && !one.is_sync) continue;
    const auto end = std::find_if(ends.begin(), ends.end(),
                                  [&](const LifeEnd& e) { return e.at >= one.answered_at; });
    if (end == ends.end()) {
      fault(one.where + ": mail " + text(number) + " is gone, and its instance lives");
    } else {
      check_lost(number, *end);
    }
  }
}

}  // namespace sluice::test
