#include "core/sim/sim_network.h"

#include <algorithm>

#include "core/base/check.h"

namespace sluice {

SimNetwork::SimNetwork(const SimOptions& options) : options_(options), random_(options.seed) {}

SimNetwork::~SimNetwork() = default;

// ---- tokens

SimNetwork::Place SimNetwork::find(int token) const {
  const auto it = places_.find(token);
  return it == places_.end() ? Place{} : it->second;
}

SimNetwork::Place SimNetwork::place(int token) {
  const Place found = find(token);
  SLUICE_CHECK(found.stream != nullptr);
  SLUICE_CHECK(!found.end().closed);
  return found;
}

bool SimNetwork::is_stream(int token) const noexcept {
  const Place found = find(token);
  return found.stream != nullptr && !found.end().closed;
}

SimNetwork::Watch* SimNetwork::find_watch(int token) {
  if (const auto it = listeners_.find(token); it != listeners_.end()) return &it->second.watch;
  if (const auto it = poll_sources_.find(token); it != poll_sources_.end()) {
    return &it->second.watch;
  }
  const Place found = find(token);
  return found.stream == nullptr ? nullptr : &found.end().watch;
}

void SimNetwork::watch(int token, SimObserver* observer, std::uint32_t key) {
  Watch* watch = find_watch(token);
  SLUICE_CHECK(watch != nullptr);
  SLUICE_CHECK(watch->observer == nullptr);  // one holder: a token is not shared
  *watch = {observer, key};
}

void SimNetwork::unwatch(int token) {
  Watch* watch = find_watch(token);
  SLUICE_CHECK(watch != nullptr);
  *watch = {};
}

void SimNetwork::tell(int token) {
  const Watch* watch = find_watch(token);
  if (watch != nullptr && watch->observer != nullptr) watch->observer->on_ready(watch->key);
}

void SimNetwork::notify_at(int token, Time at) { schedule(at, EventKind::kNotify, token); }

// ---- listeners and poll sources

int SimNetwork::open_listener(const SocketAddress& address) {
  const int token = next_token_++;
  listeners_[token].address = address;
  listener_order_.push_back(token);
  ++open_tokens_;
  return token;
}

int SimNetwork::open_poll_source() {
  const int token = next_token_++;
  poll_sources_[token];
  ++open_tokens_;
  return token;
}

void SimNetwork::set_poll_ready(int token, unsigned events) {
  const auto it = poll_sources_.find(token);
  SLUICE_CHECK(it != poll_sources_.end());
  it->second.events = events;
  tell(token);
}

unsigned SimNetwork::poll_ready(int token) const {
  const auto it = poll_sources_.find(token);
  SLUICE_CHECK(it != poll_sources_.end());
  return it->second.events;
}

bool SimNetwork::can_accept(int listener) const { return !listeners_.at(listener).pending.empty(); }

bool SimNetwork::descriptors_short() noexcept {
  if (shortage_ || now() < shortage_until_) return true;
  if (!chance(options_.shortage_percent)) return false;
  shortage_until_ = now() + options_.shortage_time;
  return true;
}

SimNetwork::Accepted SimNetwork::accept(int listener) {
  Listener& from = listeners_.at(listener);
  SLUICE_CHECK(!from.pending.empty());
  const int token = from.pending.front();
  from.pending.pop_front();
  ++open_tokens_;
  return {token, place(token).stream->client};
}

int SimNetwork::pick_listener(const SocketAddress& address) {
  std::vector<int> siblings;
  std::copy_if(listener_order_.begin(), listener_order_.end(), std::back_inserter(siblings),
               [&](int token) { return listeners_.at(token).address == address; });
  return siblings.empty() ? -1 : siblings[random_.below(siblings.size())];
}

// As the kernel does by default, connections that wait on the closed sibling are reset.
void SimNetwork::close_listener(int token) {
  const std::deque<int> pending = std::move(listeners_.at(token).pending);
  listeners_.erase(token);
  std::erase(listener_order_, token);
  open_tokens_ += pending.size();  // abort counts each as one that was held
  for (const int waiting : pending) abort(waiting);
  --open_tokens_;
}

// ---- streams

int SimNetwork::start_connect(const SocketAddress& address, const SocketAddress& from) {
  auto stream = std::make_unique<Stream>(options_.pipe_bytes);
  const int token = next_token_++;
  stream->server = address;
  stream->client = from;
  if (from.family() == SocketAddress::Family::kNone) {
    stream->client = SocketAddress::ipv4(0x7f000001, next_port_);
    next_port_ = next_port_ == 65'535 ? 10'000 : static_cast<std::uint16_t>(next_port_ + 1);
  }
  stream->ends[0].token = token;
  stream->ends[0].closed = false;
  places_[token] = {stream.get(), 0};
  streams_[token] = std::move(stream);
  ++open_tokens_;
  schedule(draw_arrival(), EventKind::kSyn, token);
  return token;
}

bool SimNetwork::is_connecting(int token) { return place(token).is_connecting(); }

std::error_code SimNetwork::error(int token) { return place(token).end().error; }

std::size_t SimNetwork::room(int token) {
  const Place at = place(token);
  return at.end().error || at.is_connecting() ? 0 : at.out().room();
}

std::size_t SimNetwork::write(int token, ConstBytes bytes) {
  const Place at = place(token);
  if (options_.resets_per_10000 > 0 && random_.chance(options_.resets_per_10000, 10'000)) {
    reset(token);
  }
  const std::size_t taken = std::min(bytes.size(), room(token));
  for (std::size_t done = 0; done < taken;) {
    const std::size_t chunk = draw_chunk(taken - done);
    const Time arrival = at.out().push(bytes.subspan(done, chunk), draw_arrival());
    schedule(arrival, EventKind::kArrive, at.peer().token);
    done += chunk;
  }
  return taken;
}

std::size_t SimNetwork::readable(int token) { return place(token).in().readable(); }

bool SimNetwork::at_end(int token) { return place(token).in().at_end(); }

void SimNetwork::read(int token, Bytes out) {
  const Place at = place(token);
  at.in().read(out);
  // The sender hears of the room as it would by a window update.
  if (!at.peer().closed) schedule(draw_arrival(), EventKind::kNotify, at.peer().token);
}

void SimNetwork::shutdown(int token) {
  const Place at = place(token);
  if (at.end().error || at.out().fin_sent()) return;
  schedule(at.out().push_fin(draw_arrival()), EventKind::kArrive, at.peer().token);
}

void SimNetwork::close(int token) {
  if (listeners_.contains(token)) return close_listener(token);
  if (poll_sources_.erase(token) > 0) {
    --open_tokens_;
    return;
  }
  const Place at = place(token);
  if (at.is_connecting() || at.in().readable() > 0) return abort(token);
  shutdown(token);
  finish_close(at);
}

void SimNetwork::abort(int token) {
  const Place at = place(token);
  send_reset(at);
  finish_close(at);
}

void SimNetwork::reset(int token) {
  const Place at = place(token);
  break_end(at, std::errc::connection_reset);
  if (!at.peer().closed) break_end({at.stream, 1 - at.side}, std::errc::connection_reset);
}

// REQUIRES: nothing uses `at` afterwards; the stream may be gone.
void SimNetwork::finish_close(const Place& at) {
  at.end().closed = true;
  at.end().watch = {};
  --open_tokens_;
  if (!at.peer().closed) return;
  for (const End& end : at.stream->ends) places_.erase(end.token);
  streams_.erase(at.stream->ends[0].token);
}

// What has arrived may or may not survive a reset, depending on the receiver's kernel.
void SimNetwork::break_end(const Place& at, std::errc error) {
  if (at.side == 0) at.stream->connecting = false;
  if (!at.end().error) at.end().error = std::make_error_code(error);
  at.out().drop_unarrived();
  if (random_.chance(1, 2)) {
    at.in().drop_all();
  } else {
    at.in().drop_unarrived();
  }
  schedule(now(), EventKind::kNotify, at.end().token);
}

void SimNetwork::send_reset(const Place& from) {
  from.out().drop_unarrived();
  if (from.peer().closed) return;
  schedule(from.out().not_before(draw_arrival()), EventKind::kReset, from.peer().token);
}

// ---- events

Time SimNetwork::draw_arrival() {
  Duration delay = options_.delay_min;
  if (options_.delay_max > options_.delay_min) {
    const auto spread = static_cast<std::uint64_t>((options_.delay_max - delay).count());
    delay += Duration(static_cast<std::int64_t>(random_.below(spread + 1)));
  }
  if (chance(options_.stall_percent)) delay += options_.stall_time;
  return now() + delay;
}

std::size_t SimNetwork::draw_chunk(std::size_t limit) noexcept {
  constexpr std::size_t kSmallSpread = 16;
  const std::size_t low = std::max<std::size_t>(options_.chunk_min, 1);
  std::size_t high = std::max(options_.chunk_max, low);
  if (random_.chance(1, 4)) high = std::min(high, low + kSmallSpread);
  return std::min(limit, low + static_cast<std::size_t>(random_.below(high - low + 1)));
}

void SimNetwork::schedule(Time at, EventKind kind, int token) {
  events_.push({at, next_event_number_++, kind, token});
}

void SimNetwork::run_due() noexcept {
  while (!events_.empty() && events_.top().at <= clock_.now()) {
    const Event event = events_.top();
    events_.pop();
    handling_ = event.at;
    handle(event);
  }
  handling_.reset();
}

void SimNetwork::handle(const Event& event) {
  if (event.kind == EventKind::kNotify) return tell(event.token);
  const Place at = find(event.token);
  if (at.stream == nullptr) return;
  switch (event.kind) {
    case EventKind::kNotify:
      break;
    case EventKind::kArrive:
      handle_arrival(at);
      break;
    case EventKind::kSyn:
      if (!at.end().closed) handle_syn(at);
      break;
    case EventKind::kConnected:
      at.stream->connecting = false;
      tell(event.token);
      break;
    case EventKind::kReset:
      if (at.end().closed) break;
      at.in().settle(now());
      break_end(at,
                at.is_connecting() ? std::errc::connection_refused : std::errc::connection_reset);
      break;
  }
}

void SimNetwork::handle_arrival(const Place& at) {
  const std::size_t arrived = at.in().settle(now());
  if (!at.end().closed) return tell(at.end().token);
  // Nobody is there to read: whatever the closed end still had on its way is lost, as with TCP.
  if (arrived > 0 && !at.peer().closed) send_reset(at);
}

void SimNetwork::handle_syn(const Place& client) {
  const int listener = pick_listener(client.stream->server);
  if (listener == -1) {
    schedule(draw_arrival(), EventKind::kReset, client.end().token);
    return;
  }
  Listener& to = listeners_.at(listener);
  if (to.pending.size() >= options_.backlog) {  // dropped; the client's kernel tries again
    schedule(now() + std::chrono::seconds(1), EventKind::kSyn, client.end().token);
    return;
  }
  const int token = next_token_++;
  client.peer().token = token;
  client.peer().closed = false;
  places_[token] = {client.stream, 1};
  to.pending.push_back(token);
  schedule(client.in().not_before(draw_arrival()), EventKind::kConnected, client.end().token);
  tell(listener);
}

}  // namespace sluice
