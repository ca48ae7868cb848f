#include "gateway/hooks/event_outbox.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "gateway/config/limits.h"
#include "gateway/hooks/hook_request.h"
#include "gateway/uuid.h"

namespace sluice {
namespace {

constexpr std::uint32_t kDoublingsMax = 16;
// Between tries while the gateway stops.
constexpr Duration kHurriedPause = std::chrono::milliseconds(100);

}  // namespace

EventOutbox::EventOutbox(const HookParts& parts, HttpClient& client)
    : settings_(parts.settings),
      signer_(parts.signer),
      reactor_(parts.reactor),
      random_(parts.random),
      client_(client),
      counters_(parts.counters),
      queue_(share(parts.settings.events_queue, parts.shards),
             share(parts.settings.events_bytes, parts.shards), parts.counters, parts.journal),
      timer_([](void* self, Time) noexcept { static_cast<EventOutbox*>(self)->on_timer(); }, this) {
}

std::string EventOutbox::next_id() noexcept { return make_uuid(random_.next(), random_.next()); }

void EventOutbox::report(const hooks::Event& event) noexcept {
  counters_.events[static_cast<std::size_t>(event.type)].add();
  if (has_given_up_ && !keeps_) return counters_.lose(EventLoss::kStopped, 1);
  const auto now =
      std::chrono::floor<std::chrono::milliseconds>(reactor_.clock().wall_now().time_since_epoch());
  std::string text;
  hooks::append_event(text, event, next_id(), now.count());
  queue_.push(std::move(text), reactor_.now());
  begin_soon();
}

void EventOutbox::restore(std::span<const StoredEvent> stored) noexcept {
  for (const StoredEvent& event : stored) queue_.restore(event, reactor_.now());
  if (!queue_.empty()) begin_soon();
}

// At the next tick, so that events of one turn travel together.
void EventOutbox::begin_soon() noexcept {
  if (is_under_way_ || has_given_up_ || timer_.armed()) return;
  reactor_.timers().arm(timer_, reactor_.now());
}

void EventOutbox::on_timer() noexcept { deliver(); }

// Begins a delivery, or makes the last one again.
void EventOutbox::deliver() noexcept {
  queue_.expire(reactor_.now() - settings_.events_age);
  if (lent_.empty() || queue_.lend(lent_.size()) != lent_) {
    lent_ = queue_.lend(settings_.delivery_events);
    if (lent_.empty()) return;
    id_ = next_id();
    attempt_ = 0;
  }
  post();
}

void EventOutbox::post() noexcept {
  body_.clear();
  hooks::append_delivery(body_, {id_, ++attempt_, queue_.lost()}, lent_);
  fields_.clear();
  append_signature(fields_, signer_, reactor_, body_);
  began_at_ = reactor_.now();
  is_under_way_ = true;
  counters_.of(HookKind::kEvents).under_way.set(1);
  client_.post({0, body_, settings_.delivery_timeout, settings_.reply_bytes, fields_, true}, *this);
}

void EventOutbox::on_http_reply(std::uint32_t, const HttpReply& reply) noexcept {
  HookCounters::OfKind& counters = counters_.of(HookKind::kEvents);
  const HookOutcome outcome = outcome_of(reply, 299);
  is_under_way_ = false;
  counters.under_way.set(0);
  counters.observe(reactor_.now() - began_at_);
  counters.count(outcome);
  if (has_given_up_) return;
  if (outcome == HookOutcome::kAllowed) {
    queue_.take();
    lent_.clear();
    failures_ = 0;
    if (!queue_.empty()) deliver();
    return;
  }
  queue_.give_back();
  counters.retries.add();
  reactor_.timers().arm(timer_, reactor_.now() + pause());
  ++failures_;
}

Duration EventOutbox::pause() noexcept {
  const auto doubled = settings_.backoff_least * (1 << std::min(failures_, kDoublingsMax));
  const Duration most =
      is_hurried_ ? kHurriedPause : std::min<Duration>(doubled, settings_.backoff_most);
  return draw_pause(random_, most);
}

void EventOutbox::hurry() noexcept {
  is_hurried_ = true;
  if (timer_.armed()) reactor_.timers().arm(timer_, reactor_.now());
}

EventOutbox::LeftOver EventOutbox::give_up() noexcept {
  if (std::exchange(has_given_up_, true)) return {};
  timer_.cancel();
  const std::uint64_t left = queue_.size();
  keeps_ = queue_.keep();
  if (keeps_) return {left, 0};
  queue_.clear(EventLoss::kStopped);
  return {0, left};
}

}  // namespace sluice
