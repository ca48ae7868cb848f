// One step of a SimBackend: for each entry that may have something, do it and tell.
//
// Every event may change the table, so entries are looked up again after each.
#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "core/base/check.h"
#include "core/sim/sim_backend.h"

namespace sluice {

namespace {

std::size_t limit_or_none(std::size_t limit) {
  return limit == 0 ? std::numeric_limits<std::size_t>::max() : limit;
}

}  // namespace

void SimBackend::step() {
  SLUICE_CHECK(events_ != nullptr);
  SLUICE_CHECK(!inside_event_);
  counters_.waits.add();
  network_.run_due();
  events_left_ = limit_or_none(network_.options().events_per_wait);
  receives_left_ = limit_or_none(network_.options().receives_per_wait);

  // Those that are ready now, in drawn order; what becomes ready meanwhile is for the next step.
  const std::size_t count = ready_.size();
  std::size_t done = 0;
  for (; done < count && events_left_ > 0; ++done) {
    std::swap(ready_[done], ready_[done + static_cast<std::size_t>(random_.below(count - done))]);
    const std::uint32_t slot = ready_[done];
    entries_[slot].is_queued = false;
    run({slot, entries_[slot].generation});
  }
  if (done < count) counters_.completions_deferred.add();
  ready_.erase(ready_.begin(), ready_.begin() + static_cast<std::ptrdiff_t>(done));
  network_.run_due();
}

void SimBackend::run(Handle handle) {
  if (!is_alive(handle)) return;
  if (network_.chance(network_.options().late_percent)) return mark_ready(handle.slot);
  switch (entries_[handle.slot].kind) {
    case Kind::kFree:
      break;
    case Kind::kListener:
      run_listener(handle);
      break;
    case Kind::kConnection:
      run_connection(handle);
      break;
    case Kind::kPoll:
      run_poll(handle);
      break;
  }
}

// Takes one event of this step's number; without one the entry waits for the next step.
bool SimBackend::may_deliver(Handle handle) {
  if (events_left_ == 0) {
    mark_ready(handle.slot);
    return false;
  }
  --events_left_;
  return true;
}

// ---- listeners and polls

void SimBackend::run_listener(Handle handle) {
  while (is_alive(handle) && entries_[handle.slot].accepts) {
    Entry& listener = entries_[handle.slot];
    if (!network_.can_accept(listener.token) || !may_deliver(handle)) return;
    if (fault(SimOperation::kAccept) || network_.descriptors_short()) {
      listener.accepts = false;
      counters_.accept_paused.add();
      const auto error = make_error_code(std::errc::too_many_files_open);
      in_event([&] { events_->on_accept_paused(handle, error); });
    } else {
      const SimNetwork::Accepted accepted = network_.accept(listener.token);
      const Handle connection = make(Kind::kConnection, accepted.token);
      in_event([&] { events_->on_accept(handle, connection, accepted.peer); });
    }
  }
}

void SimBackend::run_poll(Handle handle) {
  Entry& poll = entries_[handle.slot];
  if (poll.poll_events == 0) return;
  const unsigned events = network_.poll_ready(poll.token) & (poll.poll_events | kPollError);
  if (events == 0 || !may_deliver(handle)) return;
  poll.poll_events = 0;
  in_event([&] { events_->on_poll(handle, events); });
}

// ---- connections

void SimBackend::run_connection(Handle handle) {
  Entry& connection = entries_[handle.slot];
  if (connection.ending != Ending::kNone) return run_ending(handle);
  if (connection.connecting) return run_connecting(handle);
  const bool send_first = random_.chance(1, 2);
  if (send_first) run_send(handle);
  if (!is_alive(handle)) return;
  run_receive(handle);
  if (!is_alive(handle)) return;
  if (!send_first) run_send(handle);
}

void SimBackend::run_connecting(Handle handle) {
  Entry& connection = entries_[handle.slot];
  const std::error_code error = network_.error(connection.token);
  if (!error && network_.is_connecting(connection.token)) return;
  if (!may_deliver(handle)) return;
  connection.connecting = false;
  in_event([&] { events_->on_connect(handle, error); });
}

// A send under way may have been done by then or not: the kernel's choice, so the seed's here.
void SimBackend::run_ending(Handle handle) {
  if (!may_deliver(handle)) return;
  Entry& ended = entries_[handle.slot];
  const int token = ended.token;
  const std::size_t sent = ended.sending && random_.chance(1, 2) ? take(handle).sent : 0;
  network_.unwatch(token);
  if (ended.ending == Ending::kClose) {
    if (ended.close_mode == CloseMode::kAbort) {
      network_.abort(token);
    } else {
      network_.close(token);
    }
    free_entry(handle.slot);
    in_event([&] { events_->on_close(handle); });
    return;
  }
  std::vector<std::byte> undelivered = std::move(ended.undelivered);
  if (ended.receiving && network_.readable(token) > 0 && random_.chance(1, 2)) {
    const std::vector<std::byte> more = read_chunk(token);
    undelivered.insert(undelivered.end(), more.begin(), more.end());
  }
  undelivered.shrink_to_fit();
  free_entry(handle.slot);
  in_event([&] { events_->on_release(handle, {token, undelivered, sent}); });
}

void SimBackend::run_send(Handle handle) {
  Entry& sender = entries_[handle.slot];
  if (!sender.sending || sender.ending != Ending::kNone || !may_deliver(handle)) return;
  if (fault(SimOperation::kSend)) network_.reset(sender.token);
  const Taken taken = take(handle);
  if (!taken.done) return;
  sender.sending = false;
  sender.pieces.clear();
  in_event([&] { events_->on_send(handle, taken.sent, taken.error); });
}

SimBackend::Taken SimBackend::take(Handle handle) {
  Entry& sender = entries_[handle.slot];
  const SimOptions& options = network_.options();
  if (const std::error_code error = network_.error(sender.token)) return {0, error, true};
  const bool refused = network_.chance(options.refused_send_percent);
  if (refused && sender.send_mode == SendMode::kWait) {
    mark_ready(handle.slot);
    return {};
  }
  std::size_t total = 0;
  for (const iovec& piece : sender.pieces) total += piece.iov_len;
  std::size_t limit = refused ? 0 : total;
  if (limit > 1 && network_.chance(options.short_send_percent)) limit = 1 + random_.below(limit);
  Taken taken;
  for (const iovec& piece : sender.pieces) {
    const std::size_t asked = std::min(piece.iov_len, limit - taken.sent);
    if (asked == 0) continue;
    const std::size_t wrote =
        network_.write(sender.token, {static_cast<const std::byte*>(piece.iov_base), asked});
    taken.sent += wrote;
    if (wrote < asked) break;
  }
  if (taken.sent < total) counters_.short_sends.add();
  if (taken.sent == 0) taken.error = network_.error(sender.token);
  taken.done = taken.sent > 0 || taken.error || sender.send_mode == SendMode::kTry;
  return taken;
}

// ---- receiving

void SimBackend::run_receive(Handle handle) {
  for (std::uint64_t burst = 1 + random_.below(4); burst > 0; --burst) {
    if (!receive_once(handle)) return;
  }
  mark_ready(handle.slot);
}

// Returns whether it is worth asking again.
bool SimBackend::receive_once(Handle handle) {
  if (!is_alive(handle)) return false;
  Entry& receiver = entries_[handle.slot];
  if (!receiver.receiving || receiver.ending != Ending::kNone) return false;
  if (receiver.stop_asked && random_.chance(1, 2)) {
    end_receive(handle, ReceiveEnd::kStopped, {});
    return false;
  }
  const bool has_bytes = !receiver.undelivered.empty() || network_.readable(receiver.token) > 0;
  if (has_bytes && fault(SimOperation::kReceive)) network_.reset(receiver.token);
  if (!receiver.undelivered.empty()) {
    if (!may_deliver(handle)) return false;
    deliver(handle, std::exchange(receiver.undelivered, {}));
  } else if (network_.readable(receiver.token) > 0) {
    if (starve(handle) || !may_deliver(handle)) return false;
    deliver(handle, read_chunk(receiver.token));
  } else if (const std::error_code error = network_.error(receiver.token)) {
    end_receive(handle, ReceiveEnd::kError, error);
    return false;
  } else if (network_.at_end(receiver.token)) {
    end_receive(handle, ReceiveEnd::kEof, {});
    return false;
  } else {
    if (receiver.stop_asked) end_receive(handle, ReceiveEnd::kStopped, {});
    return false;
  }
  return is_alive(handle);
}

// Whether this receive finds no buffer; then it is asked again later.
bool SimBackend::starve(Handle handle) {
  Entry& receiver = entries_[handle.slot];
  const SimOptions& options = network_.options();
  if (receives_left_ == 0) {
    counters_.receive_starved.add();
    mark_ready(handle.slot);
    return true;
  }
  // Only once in a row, so that a step at every notification makes progress.
  if (!receiver.starved && network_.chance(options.starve_percent)) {
    receiver.starved = true;
    counters_.receive_starved.add();
    network_.notify_at(receiver.token, network_.clock().now() + options.starve_time);
    return true;
  }
  receiver.starved = false;
  --receives_left_;
  return false;
}

std::vector<std::byte> SimBackend::read_chunk(int token) {
  const std::size_t limit =
      std::min(network_.readable(token), network_.options().receive_buffer_bytes);
  std::vector<std::byte> bytes(network_.draw_chunk(limit));
  network_.read(token, bytes);
  return bytes;
}

void SimBackend::end_receive(Handle handle, ReceiveEnd end, std::error_code error) {
  if (!may_deliver(handle)) return;
  Entry& receiver = entries_[handle.slot];
  receiver.receiving = false;
  receiver.stop_asked = false;
  in_event([&] { events_->on_receive_end(handle, end, error); });
}

void SimBackend::deliver(Handle handle, std::vector<std::byte> bytes) {
  constexpr int kSlackFill = 0xa5;
  constexpr int kFreedFill = 0xdd;
  // Not always aligned, as the middle of a kernel's buffer is not.
  const std::size_t lead = random_.chance(1, 2) ? 0 : static_cast<std::size_t>(random_.below(64));
  const std::size_t size = lead + bytes.size() + kReadSlack;
  const std::unique_ptr<std::byte[]> block(new std::byte[size]);
  std::memset(block.get(), kSlackFill, size);
  std::memcpy(block.get() + lead, bytes.data(), bytes.size());
  counters_.receives.add();
  counters_.buffer_bytes.add(static_cast<std::int64_t>(size));
  in_event([&] { events_->on_receive(handle, {block.get() + lead, bytes.size()}); });
  counters_.buffer_bytes.add(-static_cast<std::int64_t>(size));
  const auto is_untouched = [&](std::size_t from, std::size_t to) {
    return std::all_of(block.get() + from, block.get() + to,
                       [&](std::byte byte) { return byte == std::byte{kSlackFill}; });
  };
  SLUICE_CHECK(is_untouched(0, lead));
  SLUICE_CHECK(is_untouched(lead + bytes.size(), size));
  std::memset(block.get(), kFreedFill, size);
}

}  // namespace sluice
