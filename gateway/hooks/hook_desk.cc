#include "gateway/hooks/hook_desk.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "gateway/config/limits.h"
#include "gateway/hooks/hook_request.h"

namespace sluice {
namespace {

// Before a second try, at least and at most; doubled behind each.
constexpr Duration kAgainAfter = std::chrono::milliseconds(20);
constexpr std::uint32_t kDoublings = 4;

}  // namespace

HookDesk::HookDesk(HookKind kind, const HookParts& parts, HttpClient& client, HookAsker& asker)
    : settings_(parts.settings),
      concurrency_(share(parts.settings.concurrency, parts.shards)),
      queue_max_(share(parts.settings.queue, parts.shards)),
      bytes_max_(share(parts.settings.question_bytes, parts.shards)),
      signer_(parts.signer),
      reactor_(parts.reactor),
      random_(parts.random),
      client_(client),
      asker_(asker),
      counters_(parts.counters.of(kind)),
      timer_([](void* self, Time) noexcept { static_cast<HookDesk*>(self)->on_timer(); }, this) {}

bool HookDesk::ask(Handle session, std::uint32_t number, std::string body,
                   std::string_view fields) noexcept {
  const bool has_slot = slots_.size() < concurrency_;
  if ((!has_slot && queue_.size() >= queue_max_) ||
      bytes_ + body.size() + fields.size() > bytes_max_) {
    counters_.count(HookOutcome::kBusy);
    return false;
  }
  const Time now = reactor_.now();
  Question question{
      session, number, std::move(body), std::string(fields), now, now + settings_.timeout};
  bytes_ += question.size();
  if (has_slot) {
    begin(std::move(question));
  } else {
    reactor_.timers().arm_by(timer_, question.deadline);
    queue_.push_back(std::move(question));
  }
  report();
  return true;
}

void HookDesk::begin(Question question) noexcept {
  send(slots_.allocate(Slot{std::move(question)}).slot);
}

void HookDesk::send(std::uint32_t place) noexcept {
  Slot& slot = slots_.at(place);
  if (++slot.tries > 1) counters_.retries.add();
  slot.again_at = Time::max();
  slot.fields = slot.question.fields;
  append_signature(slot.fields, signer_, reactor_, slot.question.body);
  client_.post({place, slot.question.body, slot.question.deadline - reactor_.now(),
                settings_.reply_bytes, slot.fields, true},
               *this);
}

bool HookDesk::may_try_again(Slot& slot) noexcept {
  const Duration longest = kAgainAfter * (1 << std::min(slot.tries, kDoublings));
  const Time again = reactor_.now() + draw_pause(random_, longest);
  if (again >= slot.question.deadline || !is_wanted(slot.question)) return false;
  slot.again_at = again;
  reactor_.timers().arm_by(timer_, again);
  return true;
}

void HookDesk::on_http_reply(std::uint32_t place, const HttpReply& reply) noexcept {
  if (reply.kind == HttpReply::Kind::kUnconnected && may_try_again(slots_.at(place))) return;
  const HookOutcome outcome = outcome_of(reply, 200);
  settle(place, outcome,
         outcome == HookOutcome::kAllowed ? std::optional(reply.body) : std::nullopt);
  go_on();
}

void HookDesk::settle(std::uint32_t place, HookOutcome outcome,
                      std::optional<std::string_view> body) noexcept {
  const Question question = std::move(slots_.at(place).question);
  slots_.free(slots_.handle_of(place));
  finish(question, outcome, body);
}

void HookDesk::finish(const Question& question, HookOutcome outcome,
                      std::optional<std::string_view> body) noexcept {
  bytes_ -= question.size();
  counters_.observe(reactor_.now() - question.asked_at);
  if (!is_wanted(question)) return counters_.count(HookOutcome::kAbandoned);
  if (!body) counters_.count(outcome);
  asker_.on_hook_reply(question.session, question.number, body);
}

// Whoever was answered may ask anew, so each step looks at what is there then.
void HookDesk::go_on() noexcept {
  while (!queue_.empty() && slots_.size() < concurrency_) {
    Question question = std::move(queue_.front());
    queue_.pop_front();
    if (reactor_.now() >= question.deadline) {
      finish(question, HookOutcome::kTimeout, std::nullopt);
    } else if (!is_wanted(question)) {
      finish(question, HookOutcome::kAbandoned, std::nullopt);
    } else {
      begin(std::move(question));
    }
  }
  report();
}

void HookDesk::on_timer() noexcept {
  const Time now = reactor_.now();
  while (!queue_.empty() && queue_.front().deadline <= now) {
    const Question question = std::move(queue_.front());
    queue_.pop_front();
    finish(question, HookOutcome::kTimeout, std::nullopt);
  }
  slots_.for_each([this, now](Handle handle, const Slot& slot) {
    if (slot.again_at <= now && slot.question.deadline <= now) {
      settle(handle.slot, HookOutcome::kUnconnected, std::nullopt);
    } else if (slot.again_at <= now) {
      send(handle.slot);
    } else if (slot.again_at != Time::max()) {
      reactor_.timers().arm_by(timer_, slot.again_at);
    }
  });
  if (!queue_.empty()) reactor_.timers().arm_by(timer_, queue_.front().deadline);
  go_on();
}

void HookDesk::report() noexcept {
  counters_.under_way.set(static_cast<std::int64_t>(slots_.size()));
  counters_.queued.set(static_cast<std::int64_t>(queue_.size()));
}

}  // namespace sluice
