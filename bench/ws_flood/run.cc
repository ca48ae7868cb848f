#include "bench/ws_flood/run.h"

#include <time.h>

#include <algorithm>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "bench/ws_flood/messages.h"
#include "bench/ws_flood/process_stats.h"
#include "bench/ws_flood/run_state.h"
#include "bench/ws_flood/socket.h"
#include "bench/ws_flood/worker.h"

namespace sluice::flood {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration kPoll = milliseconds(2);
constexpr Duration kCloseTimeout = seconds(2);
constexpr Duration kStartTimeout = seconds(5);  // a busy machine may not run a thread at once
constexpr Duration kDrainMax = seconds(60);
constexpr Duration kSettle = milliseconds(500);    // until an idle server's memory is at rest
constexpr Duration kLoadLead = milliseconds(20);   // from the decision to the first message
constexpr Duration kSilentUpTo = seconds(2);       // a load that short needs no progress lines
constexpr std::uint64_t kDescriptorsBesides = 64;  // of ours that are not connections

Time now() { return std::chrono::steady_clock::now(); }

std::uint64_t cpu_of_this_process_ns() {
  timespec spent{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
  return static_cast<std::uint64_t>(spent.tv_sec) * 1'000'000'000 +
         static_cast<std::uint64_t>(spent.tv_nsec);
}

struct Snapshot {
  Time at;
  std::uint64_t sent = 0;
  std::uint64_t arrived = 0;
  std::uint64_t client_cpu_ns = 0;
  std::optional<std::uint64_t> server_cpu_ns;
};

// Drives the workers through the phases. Lives on run_flood's stack.
class Coordinator {
 public:
  Coordinator(const Options& options, std::FILE* progress, RunState& state)
      : options_(options), progress_(progress), state_(state) {
    std::random_device seed;
    for (unsigned i = 0; i < state.workers; ++i) {
      workers_.push_back(std::make_unique<Worker>(state, i, std::uint64_t{seed()} << 32 | seed()));
    }
  }

  RunResult run();

 private:
  bool connect();
  bool name();
  void load();
  void hold();
  void drain();
  void sleep_until(Time until);
  void report_progress();
  void close_connections();
  void collect();
  Snapshot snapshot() const;
  std::uint64_t expected() const;

  std::uint64_t sum(Counter Tally::*field) const {
    std::uint64_t total = 0;
    for (const auto& worker : workers_) total += (worker->tally().*field).value();
    return total;
  }

  template <class Condition>
  bool wait_for(Duration limit, Condition&& is_met) const {
    const Time deadline = now() + limit;
    while (!is_met()) {
      if (now() >= deadline) return false;
      std::this_thread::sleep_for(kPoll);
    }
    return true;
  }

  const Options& options_;
  std::FILE* progress_;
  RunState& state_;
  std::vector<std::unique_ptr<Worker>> workers_;
  RunResult result_;
  Time load_start_;
  Snapshot last_shown_;
};

RunResult Coordinator::run() {
  if (options_.server_pid != 0) result_.resident_before = resident_bytes(options_.server_pid);
  std::vector<std::thread> threads;
  threads.reserve(workers_.size());
  for (const auto& worker : workers_) threads.emplace_back([&worker] { worker->loop(); });
  if (connect() && name()) {
    options_.scenario == Scenario::kIdle ? hold() : load();
    close_connections();
  }
  state_.enter(Phase::kQuit);
  for (std::thread& thread : threads) thread.join();
  collect();
  return std::move(result_);
}

// Workers time each handshake, so all of them end. The first failure decides the run.
bool Coordinator::connect() {
  for (;;) {
    if (sum(&Tally::refused) > 0) return false;
    if (sum(&Tally::opened) == options_.connections) return true;
    std::this_thread::sleep_for(kPoll);
  }
}

bool Coordinator::name() {
  if (options_.scenario != Scenario::kRelay) return true;
  state_.enter(Phase::kName);
  wait_for(options_.connect_timeout,
           [this] { return sum(&Tally::named) + sum(&Tally::dropped) >= options_.connections; });
  result_.silent = options_.connections - static_cast<unsigned>(sum(&Tally::named));
  if (result_.silent == 0) return true;
  state_.note_failure(std::to_string(result_.silent) +
                      " connections got no message that they sent to their own id");
  return false;
}

void Coordinator::load() {
  load_start_ = now() + kLoadLead;
  const auto start_ns = static_cast<std::uint64_t>((load_start_ - state_.epoch).count());
  const std::uint64_t from_ns = start_ns + static_cast<std::uint64_t>(options_.warmup.count());
  state_.start_ns = start_ns;
  state_.measure_from_ns = from_ns;
  state_.measure_to_ns = from_ns + static_cast<std::uint64_t>(options_.duration.count());
  last_shown_ = snapshot();
  state_.enter(Phase::kRun);
  wait_for(kStartTimeout, [this] { return sum(&Tally::started) == state_.workers; });
  sleep_until(load_start_ + options_.warmup);
  const Snapshot before = snapshot();
  sleep_until(load_start_ + options_.warmup + options_.duration);
  const Snapshot after = snapshot();
  drain();

  result_.seconds = std::chrono::duration<double>(after.at - before.at).count();
  result_.window_sent = after.sent - before.sent;
  result_.window_arrived = after.arrived - before.arrived;
  result_.client_cpu_seconds =
      static_cast<double>(after.client_cpu_ns - before.client_cpu_ns) / 1e9;
  if (before.server_cpu_ns && after.server_cpu_ns) {
    const std::uint64_t spent = *after.server_cpu_ns - *before.server_cpu_ns;
    result_.server_cpu_seconds = static_cast<double>(spent) / 1e9;
  }
}

void Coordinator::hold() {
  load_start_ = now();
  last_shown_ = snapshot();
  const Snapshot before = snapshot();
  sleep_until(load_start_ + std::max(options_.hold, kSettle));
  const Snapshot after = snapshot();
  result_.seconds = std::chrono::duration<double>(after.at - before.at).count();
  if (options_.server_pid != 0) result_.resident_with = resident_bytes(options_.server_pid);
  if (before.server_cpu_ns && after.server_cpu_ns) {
    const std::uint64_t spent = *after.server_cpu_ns - *before.server_cpu_ns;
    result_.server_cpu_seconds = static_cast<double>(spent) / 1e9;
  }
  state_.enter(Phase::kProbe);
  wait_for(options_.connect_timeout,
           [this] { return sum(&Tally::pongs) + sum(&Tally::dropped) >= options_.connections; });
  result_.silent = options_.connections - static_cast<unsigned>(sum(&Tally::pongs));
  if (result_.silent != 0) {
    state_.note_failure(std::to_string(result_.silent) + " connections did not answer a ping");
  }
}

// Waits until everything sent has arrived, or nothing has for a while.
void Coordinator::drain() {
  state_.enter(Phase::kDrain);
  wait_for(options_.drain, [this] { return sum(&Tally::finished) == state_.workers; });
  const Time deadline = now() + kDrainMax;
  std::uint64_t seen = sum(&Tally::arrived);
  Time quiet_since = now();
  while (sum(&Tally::arrived) < expected() && now() < deadline) {
    std::this_thread::sleep_for(kPoll);
    const std::uint64_t arrived = sum(&Tally::arrived);
    if (arrived != seen) quiet_since = now();
    seen = arrived;
    if (now() - quiet_since > options_.drain) break;
  }
}

std::uint64_t Coordinator::expected() const {
  const std::uint64_t receivers =
      options_.scenario == Scenario::kChat ? options_.connections : std::uint64_t{1};
  return sum(&Tally::sent) * receivers;
}

void Coordinator::sleep_until(Time until) {
  const Duration total =
      options_.scenario == Scenario::kIdle ? options_.hold : options_.warmup + options_.duration;
  const bool is_shown = progress_ != nullptr && total > kSilentUpTo;
  while (is_shown && last_shown_.at + seconds(1) <= until) {
    std::this_thread::sleep_until(last_shown_.at + seconds(1));
    report_progress();
  }
  std::this_thread::sleep_until(until);
}

void Coordinator::report_progress() {
  const Snapshot shown = snapshot();
  const double span = std::chrono::duration<double>(shown.at - last_shown_.at).count();
  const auto elapsed = std::chrono::duration<double>(shown.at - load_start_).count();
  const double rate = static_cast<double>(shown.arrived - last_shown_.arrived) / span;
  const unsigned long long wrong = sum(&Tally::wrong) + sum(&Tally::duplicated) +
                                   sum(&Tally::reordered) + sum(&Tally::misdelivered);
  const bool in_warmup =
      options_.scenario != Scenario::kIdle && shown.at < load_start_ + options_.warmup;
  std::fprintf(progress_, "%5.1f s  %12.0f msg/s  %llu faults  %llu connections dropped%s\n",
               elapsed, rate, wrong, static_cast<unsigned long long>(sum(&Tally::dropped)),
               in_warmup ? "  (warm-up)" : "");
  last_shown_ = shown;
}

// Until the server has ended each connection its messages are still taken and judged: what it sends
// once too often comes before its closing frame.
void Coordinator::close_connections() {
  state_.enter(Phase::kClose);
  wait_for(kCloseTimeout, [this] { return sum(&Tally::closed) >= options_.connections; });
}

Snapshot Coordinator::snapshot() const {
  Snapshot taken;
  taken.at = now();
  taken.sent = sum(&Tally::sent);
  taken.arrived = sum(&Tally::arrived);
  taken.client_cpu_ns = cpu_of_this_process_ns();
  if (options_.server_pid != 0) taken.server_cpu_ns = cpu_time_ns(options_.server_pid);
  return taken;
}

void Coordinator::collect() {
  result_.opened = static_cast<unsigned>(sum(&Tally::opened));
  result_.refused = static_cast<unsigned>(sum(&Tally::refused));
  result_.dropped = static_cast<unsigned>(sum(&Tally::dropped));
  result_.sent = sum(&Tally::sent);
  result_.arrived = sum(&Tally::arrived);
  result_.wrong = sum(&Tally::wrong);
  result_.duplicated = sum(&Tally::duplicated);
  result_.reordered = sum(&Tally::reordered);
  result_.misdelivered = sum(&Tally::misdelivered);
  result_.lost = expected() - std::min(expected(), result_.arrived);
  result_.first_failure = state_.first_failure;
  for (const auto& worker : workers_) result_.latency.merge(worker->latencies());
}

RunResult failed(const Options& options, std::string why) {
  RunResult result;
  result.refused = options.connections;
  result.first_failure = std::move(why);
  return result;
}

}  // namespace

bool RunResult::is_good() const noexcept {
  const bool has_connections = opened > 0 && refused == 0 && dropped == 0 && silent == 0;
  return has_connections && wrong == 0 && lost == 0 && duplicated == 0 && reordered == 0 &&
         misdelivered == 0;
}

double RunResult::rate() const noexcept {
  return seconds > 0 ? static_cast<double>(window_arrived) / seconds : 0;
}

std::optional<double> RunResult::server_us_per_message() const noexcept {
  if (!server_cpu_seconds || window_arrived == 0) return std::nullopt;
  return *server_cpu_seconds * 1e6 / static_cast<double>(window_arrived);
}

std::optional<double> RunResult::resident_bytes_per_connection() const noexcept {
  if (!resident_before || !resident_with || opened == 0) return std::nullopt;
  return (static_cast<double>(*resident_with) - static_cast<double>(*resident_before)) / opened;
}

RunResult run_flood(const Options& options, std::FILE* progress) {
  const std::uint64_t descriptors = raise_descriptor_limit();
  if (options.connections + kDescriptorsBesides > descriptors) {
    return failed(options, "--connections: the limit of open files is " +
                               std::to_string(descriptors) + "; raise it (ulimit -n)");
  }
  if (options.server_pid != 0 && !cpu_time_ns(options.server_pid)) {
    return failed(options, "--server-pid: no such process here");
  }
  const auto target = resolve(options.url);
  if (!target) return failed(options, "--url: " + target.error());
  const Messages messages(options, std::random_device{}());
  // Pairs stay together, so there is work for as many threads as there are pairs.
  const unsigned workers = std::min(options.threads, (options.connections + 1) / 2);
  RunState state(options, messages, *target, workers);
  return Coordinator(options, progress, state).run();
}

}  // namespace sluice::flood
