// The calls: what they check and remember. Completions are made in sim_backend_step.cc.
#include "core/sim/sim_backend.h"

#include <algorithm>

#include "core/base/check.h"

namespace sluice {

SimBackend::SimBackend(SimNetwork& network) : network_(network), random_(network.random().next()) {}

SimBackend::~SimBackend() {
  SLUICE_CHECK(!inside_event_);
  for (Entry& entry : entries_) {
    if (entry.kind == Kind::kFree) continue;
    network_.unwatch(entry.token);
    if (entry.kind != Kind::kPoll) network_.close(entry.token);
  }
}

void SimBackend::attach(BackendEvents& events) noexcept {
  SLUICE_CHECK(events_ == nullptr);
  events_ = &events;
}

// ---- the table

Handle SimBackend::make(Kind kind, int token) {
  SLUICE_CHECK(events_ != nullptr);
  if (free_.empty()) {
    free_.push_back(static_cast<std::uint32_t>(entries_.size()));
    entries_.emplace_back();
  }
  const std::uint32_t slot = free_.back();
  free_.pop_back();
  Entry& made = entries_[slot];
  SLUICE_CHECK(made.kind == Kind::kFree);
  made.kind = kind;
  made.token = token;
  ++open_handles_;
  network_.watch(token, this, slot);
  mark_ready(slot);
  return {slot, made.generation};
}

// The slot is at once free for the next tenant, even within the last event of this one.
void SimBackend::free_entry(std::uint32_t slot) {
  const std::uint32_t next_generation = entries_[slot].generation + 1;
  const bool is_queued = entries_[slot].is_queued;
  entries_[slot] = Entry{};
  entries_[slot].generation = next_generation;
  entries_[slot].is_queued = is_queued;
  free_.push_back(slot);
  --open_handles_;
}

bool SimBackend::is_alive(Handle handle) const noexcept {
  return handle && handle.slot < entries_.size() &&
         entries_[handle.slot].generation == handle.generation &&
         entries_[handle.slot].kind != Kind::kFree;
}

SimBackend::Entry& SimBackend::entry(Handle handle, Kind kind) {
  SLUICE_CHECK(is_alive(handle));  // a call with a dead handle
  Entry& found = entries_[handle.slot];
  SLUICE_CHECK(found.kind == kind);
  return found;
}

SimBackend::Entry& SimBackend::open_connection(Handle handle) {
  Entry& found = entry(handle, Kind::kConnection);
  SLUICE_CHECK(found.ending == Ending::kNone);  // a call after close or release
  return found;
}

void SimBackend::mark_ready(std::uint32_t slot) {
  Entry& marked = entries_[slot];
  if (marked.is_queued) return;
  marked.is_queued = true;
  ready_.push_back(slot);
}

// ---- listeners

Result<Handle, std::error_code> SimBackend::listen(int descriptor) noexcept {
  SLUICE_CHECK(network_.is_listener(descriptor));
  if (fault(SimOperation::kListen)) return fail(make_error_code(std::errc::not_enough_memory));
  return make(Kind::kListener, descriptor);
}

void SimBackend::pause_accept(Handle listener) noexcept {
  entry(listener, Kind::kListener).accepts = false;
}

void SimBackend::resume_accept(Handle listener) noexcept {
  entry(listener, Kind::kListener).accepts = true;
  mark_ready(listener.slot);
}

void SimBackend::close_listener(Handle listener) noexcept {
  const int token = entry(listener, Kind::kListener).token;
  network_.unwatch(token);
  network_.close(token);
  free_entry(listener.slot);
}

// ---- connections

Result<Handle, std::error_code> SimBackend::connect(const SocketAddress& address) noexcept {
  if (fault(SimOperation::kConnect) || network_.descriptors_short()) {
    return fail(make_error_code(std::errc::too_many_files_open));
  }
  const Handle made = make(Kind::kConnection, network_.start_connect(address));
  entries_[made.slot].connecting = true;
  return made;
}

void SimBackend::start_receive(Handle connection) noexcept {
  Entry& started = open_connection(connection);
  SLUICE_CHECK(!started.connecting);
  SLUICE_CHECK(!started.receiving);
  started.receiving = true;
  mark_ready(connection.slot);
}

void SimBackend::stop_receive(Handle connection) noexcept {
  Entry& stopped = open_connection(connection);
  if (!stopped.receiving) return;  // it ended by itself
  stopped.stop_asked = true;
  mark_ready(connection.slot);
}

void SimBackend::send(Handle connection, std::span<const iovec> pieces, SendMode mode) noexcept {
  Entry& sender = open_connection(connection);
  SLUICE_CHECK(!sender.connecting);
  SLUICE_CHECK(!sender.sending);
  SLUICE_CHECK(!sender.shutdown_asked);
  SLUICE_CHECK(!pieces.empty());
  SLUICE_CHECK(pieces.size() <= kIovecMax);
  SLUICE_CHECK(std::any_of(pieces.begin(), pieces.end(),
                           [](const iovec& piece) { return piece.iov_len > 0; }));
  sender.pieces.assign(pieces.begin(), pieces.end());
  sender.send_mode = mode;
  sender.sending = true;
  counters_.sends.add();
  mark_ready(connection.slot);
}

void SimBackend::shutdown_send(Handle connection) noexcept {
  Entry& half_closed = open_connection(connection);
  SLUICE_CHECK(!half_closed.connecting);
  SLUICE_CHECK(!half_closed.sending);
  half_closed.shutdown_asked = true;
  network_.shutdown(half_closed.token);
}

void SimBackend::close(Handle connection, CloseMode mode) noexcept {
  Entry& closed = open_connection(connection);
  closed.ending = Ending::kClose;
  closed.close_mode = mode;
  mark_ready(connection.slot);
}

void SimBackend::release(Handle connection) noexcept {
  Entry& released = open_connection(connection);
  SLUICE_CHECK(!released.connecting);
  released.ending = Ending::kRelease;
  mark_ready(connection.slot);
}

Result<Handle, std::error_code> SimBackend::adopt(int descriptor, ConstBytes undelivered) noexcept {
  SLUICE_CHECK(network_.is_stream(descriptor));
  if (fault(SimOperation::kAdopt)) {
    network_.close(descriptor);
    return fail(make_error_code(std::errc::not_enough_memory));
  }
  const Handle made = make(Kind::kConnection, descriptor);
  entries_[made.slot].undelivered.assign(undelivered.begin(), undelivered.end());
  return made;
}

// ---- polls, and time

Result<Handle, std::error_code> SimBackend::poll(int descriptor, unsigned events) noexcept {
  SLUICE_CHECK(network_.is_poll_source(descriptor));
  SLUICE_CHECK(events != 0);
  if (fault(SimOperation::kPoll)) return fail(make_error_code(std::errc::not_enough_memory));
  const Handle made = make(Kind::kPoll, descriptor);
  entries_[made.slot].poll_events = events;
  return made;
}

void SimBackend::poll_again(Handle poll, unsigned events) noexcept {
  Entry& armed = entry(poll, Kind::kPoll);
  SLUICE_CHECK(events != 0);
  armed.poll_events = events;
  mark_ready(poll.slot);
}

void SimBackend::unpoll(Handle poll) noexcept {
  network_.unwatch(entry(poll, Kind::kPoll).token);
  free_entry(poll.slot);
}

void SimBackend::wait(Duration) noexcept {
  woken_.store(false, std::memory_order_relaxed);
  step();
}

void SimBackend::wake() noexcept {
  wakes_.fetch_add(1, std::memory_order_relaxed);
  woken_.store(true, std::memory_order_release);
}

bool SimBackend::has_events() const noexcept {
  return woken_.load(std::memory_order_acquire) || !ready_.empty();
}

}  // namespace sluice
