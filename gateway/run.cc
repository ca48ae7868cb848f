#include "gateway/run.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "core/backend_choice.h"
#include "core/listener.h"
#include "gateway/config/cpus.h"
#include "gateway/config/hook_rules.h"
#include "gateway/config/token_keys.h"
#include "gateway/curl_client.h"
#include "gateway/instance.h"
#include "gateway/storage/open_storage.h"

namespace sluice {
namespace {

// Descriptors that are no connections: standard streams, rings, events, listeners, files of
// libraries.
constexpr std::size_t kOwnDescriptors = 32;
constexpr std::size_t kOwnDescriptorsPerShard = 8 + kTurnedAwayMax;
constexpr int kExitAtOnce = 1;
// Connections are cut that much before the shutdown timeout, so that the exit keeps it.
constexpr Duration kExitReserve = std::chrono::milliseconds(200);

int complain(const std::string& line) {
  std::fprintf(stderr, "sluice: %s\n", line.c_str());
  return kExitUsage;
}

// Raises the soft limit of open files to the hard one; answers what is allowed then.
std::size_t raise_descriptor_limit() noexcept {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  rlimit raised = limit;
  raised.rlim_cur = raised.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  return static_cast<std::size_t>(limit.rlim_cur);
}

// Of one shard. A question may try two addresses at a time, and its lookup has a pair of sockets.
constexpr std::size_t client_descriptors(std::size_t questions) noexcept {
  return 2 * questions + 2;
}

std::size_t robot_descriptors(const Options& options) noexcept {
  return options.robot_url.empty() ? 0 : client_descriptors(options.limits.robot_questions);
}

std::size_t hook_descriptors(const HookSettings& hooks, unsigned shards) noexcept {
  std::size_t all = 0;
  for (std::size_t i = 0; i < kHookKinds; ++i) {
    const auto kind = static_cast<HookKind>(i);
    if (!hooks.has(kind)) continue;
    all += client_descriptors(kind == HookKind::kEvents ? 1 : share(hooks.concurrency, shards));
  }
  return all;
}

// Nothing: there are no hooks.
Result<std::optional<HookSetup>, std::string> set_up_hooks(const HookSettings& settings) {
  std::optional<HookSetup> hooks;
  if (!settings.has_any()) return hooks;
  auto secrets = read_hook_secrets(settings);
  if (!secrets) return fail(secrets.error());
  hooks.emplace();
  hooks->settings = settings;
  hooks->secrets = std::move(*secrets);
  for (std::size_t i = 0; i < kHookKinds; ++i) {
    if (!settings.urls[i].empty()) hooks->clients[i] = curl_client_factory(settings.urls[i]);
  }
  return hooks;
}

Result<std::size_t, std::string> connections_max(const Options& options, std::size_t descriptors,
                                                 unsigned shards) {
  const Limits& limits = options.limits;
  const std::size_t per_shard = kOwnDescriptorsPerShard + options.listen.size() +
                                options.ops_listen.size() + robot_descriptors(options) +
                                hook_descriptors(options.hooks, shards);
  const std::size_t own = kOwnDescriptors + shards * per_shard;
  const std::size_t allowed = descriptors > own ? descriptors - own : 1;
  if (limits.max_connections == 0) return allowed;
  if (limits.max_connections <= allowed) return limits.max_connections;
  return fail("--max-connections " + std::to_string(limits.max_connections) + " needs " +
              std::to_string(limits.max_connections + own) + " open files but the limit is " +
              std::to_string(descriptors) + ": raise it (ulimit -n) or lower the option");
}

struct Listening {
  OpenListeners open;
  ListenerTraits traits;
  std::string address;
};

std::string_view listen_remedy(std::error_code error, bool is_unix) noexcept {
  if (error == std::errc::address_in_use) {
    return "stop the process that listens there or choose another address";
  }
  if (error == std::errc::address_not_available) {
    return "choose an address of this machine, or 0.0.0.0 for all of them";
  }
  if (error == std::errc::address_family_not_supported) {
    return "this machine has no such network: choose an IPv4 address";
  }
  if (error == std::errc::too_many_files_open) return "raise the limit of open files (ulimit -n)";
  if (is_unix) return "choose a path in a folder that exists and that this user may write to";
  if (error == std::errc::permission_denied) {
    return "ports below 1024 need CAP_NET_BIND_SERVICE: grant it or choose a higher port";
  }
  return "choose another address";
}

// The kernel takes down the rings of a process that has ended in the background, and until then its
// port is in use. A restart right behind it must not fail for that.
Result<OpenListeners, std::error_code> open_listeners_soon(const ListenAddress& address,
                                                           unsigned shards) {
  constexpr int kTries = 50;
  constexpr timespec kPause{0, 10'000'000};
  for (int tries = 1;; ++tries) {
    auto open = open_listeners(address, shards);
    if (open || open.error() != std::errc::address_in_use || tries == kTries) return open;
    ::nanosleep(&kPause, nullptr);
  }
}

Result<Listening, std::string> listen_on(const std::string& text, bool is_ops, unsigned shards) {
  const std::string option = is_ops ? "--ops-listen " : "--listen ";
  const auto address = ListenAddress::parse(text);
  if (!address) return fail(option + text + ": " + address.error());
  auto open = open_listeners_soon(*address, shards);
  if (!open) {
    return fail(option + text + ": " + open.error().message() + "; " +
                std::string(listen_remedy(open.error(), !address->unix_path.empty())));
  }
  Listening listening;
  listening.traits = {open->bound.is_loopback(), is_ops, !address->unix_path.empty()};
  listening.address = address->unix_path.empty() ? open->bound.to_string() : address->to_string();
  listening.open = std::move(*open);
  return listening;
}

Result<std::vector<Listening>, std::string> open_all(const Options& options, unsigned shards) {
  std::vector<Listening> all;
  for (const bool is_ops : {false, true}) {
    for (const std::string& text : is_ops ? options.ops_listen : options.listen) {
      auto listening = listen_on(text, is_ops, shards);
      if (!listening) return fail(listening.error());
      all.push_back(std::move(*listening));
    }
  }
  return all;
}

std::optional<BackendKind> forced_backend(BackendChoice choice) noexcept {
  switch (choice) {
    case BackendChoice::kUring:
      return BackendKind::kUring;
    case BackendChoice::kEpoll:
      return BackendKind::kEpoll;
    case BackendChoice::kAuto:
      break;
  }
  return std::nullopt;
}

std::uint64_t random_seed() {
  std::random_device device;
  return (std::uint64_t{device()} << 32) | device();
}

// What the options say of the instance, with the secrets that they name files of.
Result<InstanceOptions, std::string> instance_options_of(const Options& options) {
  auto token_keys = read_token_keys(options.token_key_files);
  if (!token_keys) return fail(token_keys.error());
  auto api_keys = read_api_keys(options.api);
  if (!api_keys) return fail(api_keys.error());
  auto hooks = set_up_hooks(options.hooks);
  if (!hooks) return fail(hooks.error());

  InstanceOptions all;
  all.api = options.api;
  all.api_keys = std::move(*api_keys);
  all.limits = options.limits;
  all.namespaces = options.namespaces;
  all.compression = options.compression;
  all.admission = {options.insecure_identities, options.allow_origin, !token_keys->empty()};
  for (const DialectKind dialect : options.hooks.connect_for) {
    all.admission.are_asked_about[static_cast<std::size_t>(dialect)] =
        options.hooks.asks_about(dialect);
  }
  all.hooks = std::move(*hooks);
  all.token_keys = std::move(*token_keys);
  all.token_expectations = options.token_expectations;
  all.seed = random_seed();
  if (!options.robot_url.empty()) {
    all.robot = {options.robot_name, curl_client_factory(options.robot_url)};
  }
  return all;
}

sigset_t block_stop_signals() noexcept {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // a limit of file sizes is a full disk
  return signals;
}

void say_listening(const Logger& log, const std::vector<Listening>& all, const Options& options,
                   std::size_t shards, const OpenBackends& backends) {
  for (const Listening& listening : all) {
    log.info("listening", {{"address", listening.address},
                           {"for", listening.traits.is_ops ? "ops" : "clients"},
                           {"shards", shards},
                           {"backend", to_string(backends.kind)},
                           {"why", backends.reason}});
  }
  if (options.insecure_identities.value_or(false)) {
    log.warn("identities are not verified: any client may claim any id",
             {{"option", "--insecure-identities"}});
  }
  if (std::any_of(options.allow_origin.begin(), options.allow_origin.end(),
                  [](const Origin& origin) { return origin.is_null(); })) {
    log.warn("any web page can send the origin null, from a sandboxed frame",
             {{"option", "--allow-origin"}});
  }
}

void say_kept(const Logger& log, const Instance& instance, const Options& options,
              std::uint64_t unreadable) {
  const Restored restored = instance.restored();
  log.info("kept on disk", {{"directory", options.data},
                            {"channels", restored.channels},
                            {"publications", restored.publications},
                            {"left_out", restored.left_out},
                            {"events", restored.events},
                            {"unreadable", unreadable}});
  if (unreadable == 0) return;
  log.warn("some of what was on disk makes no sense and was left out", {{"rows", unreadable}});
}

// Waits for a signal, lets the instance stop, and leaves at once when a second signal comes.
int wait_and_stop(Instance& instance, const Logger& log, const sigset_t& signals,
                  Duration timeout) {
  int signal = 0;
  sigwait(&signals, &signal);
  log.info("stopping", {{"signal", signal == SIGINT ? "SIGINT" : "SIGTERM"}});
  instance.stop(timeout);
  const timespec pause{0, 10'000'000};
  while (!instance.has_stopped()) {
    if (sigtimedwait(&signals, nullptr, &pause) > 0) std::_Exit(kExitAtOnce);
  }
  instance.join();
  instance.finish();
  log.info("stopped");
  return 0;
}

}  // namespace

int run_gateway(const Options& options) {
  const sigset_t signals = block_stop_signals();
  const SystemClock clock;
  DescriptorSink sink(STDERR_FILENO);
  const Logger log(clock, sink, options.log_level, options.log_format);

  const auto plan = plan_shards(options, detect_cpus());
  if (!plan) return complain(plan.error());
  auto instance_options = instance_options_of(options);
  if (!instance_options) return complain(instance_options.error());
  const auto connections = connections_max(options, raise_descriptor_limit(), plan->shards);
  if (!connections) return complain(connections.error());
  auto listeners = open_all(options, plan->shards);
  if (!listeners) return complain(listeners.error());
  auto backends = open_backends(forced_backend(options.backend), plan->shards, clock);
  if (!backends) return complain(backends.error().text);

  instance_options->connections_max = *connections;
  auto opened = open_storage(options, clock, log);
  if (!opened) return complain(opened.error());
  instance_options->storage = opened->storage.get();
  const std::uint64_t unreadable = opened->stored.unreadable;
  auto instance = Instance::create(*instance_options, clock, log, std::move(backends->backends),
                                   std::move(opened->stored));
  if (!instance) return complain(std::string(instance.error()));
  for (const Listening& listening : *listeners) {
    (*instance)->listen(listening.open.descriptors, listening.traits);
  }
  if (opened->storage) opened->storage->start();
  if (const std::error_code error = (*instance)->start(plan->pins)) {
    (*instance)->stop(Duration::zero());
    (*instance)->join();
    return complain("cannot accept connections: " + error.message());
  }
  // Said at every level: with port 0 nobody could know otherwise.
  const Logger start_log(clock, sink, std::min(options.log_level, LogLevel::kInfo),
                         options.log_format);
  if (opened->storage) say_kept(log, **instance, options, unreadable);
  say_listening(start_log, *listeners, options, plan->shards, *backends);
  const Duration timeout = options.limits.shutdown_timeout;
  return wait_and_stop(**instance, log, signals, timeout - std::min(timeout / 10, kExitReserve));
}

}  // namespace sluice
