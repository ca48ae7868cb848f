// The options of hooks: a part of the table of options, which is long enough. Only option_table.cc
// includes this.
#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "gateway/config/hook_rules.h"
#include "gateway/config/http_url.h"
#include "gateway/config/option_setters.h"

namespace sluice {

template <HookKind kKind>
Fault set_hook_url(Options& options, Values values) {
  if (auto fault = http_url_fault(values.back())) return "cannot use that: " + *fault;
  options.hooks.urls[static_cast<std::size_t>(kKind)] = values.back();
  return std::nullopt;
}

template <HookKind kKind>
Shown show_hook_url(const Options& options) {
  const std::string& url = options.hooks.urls[static_cast<std::size_t>(kKind)];
  return url.empty() ? Shown{} : Shown{url};
}

inline Fault set_hook_connect_for(Options& options, Values values) {
  std::vector<DialectKind> dialects;
  for (const std::string& value : values) {
    const auto* const name = std::find(kDialectNames.begin(), kDialectNames.end(), value);
    const auto kind = static_cast<DialectKind>(name - kDialectNames.begin());
    if (name == kDialectNames.end() || kind == DialectKind::kEcho) {
      return not_understood(value, "choose centrifuge, chat or relay");
    }
    dialects.push_back(kind);
  }
  options.hooks.connect_for = std::move(dialects);
  return std::nullopt;
}

inline Shown show_hook_connect_for(const Options& options) {
  Shown shown;
  for (const DialectKind kind : options.hooks.connect_for) {
    shown.emplace_back(kDialectNames[static_cast<std::size_t>(kind)]);
  }
  return shown;
}

inline Fault set_hook_headers(Options& options, Values values) {
  for (const std::string& value : values) {
    if (const char* fault = hook_header_fault(value)) return not_understood(value, fault);
  }
  options.hooks.headers.assign(values.begin(), values.end());
  return std::nullopt;
}

// The files are read when the gateway starts, not when the options are only looked at.
inline Fault set_hook_secret_files(Options& options, Values values) {
  options.hooks.secret_files.assign(values.begin(), values.end());
  return std::nullopt;
}

template <HookKind kKind>
constexpr OptionSpec hook_url_option(std::string_view name, std::string_view group,
                                     std::string_view help) {
  return {name, group, OptionKind::kText, "URL", help, set_hook_url<kKind>, show_hook_url<kKind>};
}

inline constexpr std::string_view kHooks = "Hooks: HTTP requests to the application server";

inline constexpr std::array kHookOptions = {
    hook_url_option<HookKind::kConnect>(
        "hook-connect-url", kHooks,
        "Asked about a client that connects without a token: it may be refused, or be a user."),
    hook_url_option<HookKind::kSubscribe>(
        "hook-subscribe-url", kHooks,
        "Asked about a subscription, in namespaces with subscribe_hook."),
    hook_url_option<HookKind::kPublish>(
        "hook-publish-url", kHooks,
        "Asked about what a client publishes, in namespaces with publish_hook."),
    hook_url_option<HookKind::kEvents>(
        "hook-events-url", kHooks,
        "Told of connections that come and go, and of channels with the first subscriber or "
        "without the last. docs/hooks.md has what is sent."),
    OptionSpec{"hook-connect-for", kHooks, OptionKind::kList, "PROTOCOL",
               "Which clients the connect hook is asked about: centrifuge, chat or relay. May be "
               "repeated.",
               set_hook_connect_for, show_hook_connect_for},
    OptionSpec{"hook-header", kHooks, OptionKind::kList, "NAME",
               "A header field of a client's handshake that its hooks get, such as Cookie. May be "
               "repeated.",
               set_hook_headers, [](const Options& options) { return options.hooks.headers; }},
    OptionSpec{"hook-secret-file", kHooks, OptionKind::kList, "FILE",
               "Secrets that sign the requests, one a line; with several each signs, so that a new "
               "one can be brought in. Unset: nothing is signed. May be repeated.",
               set_hook_secret_files,
               [](const Options& options) { return options.hooks.secret_files; }},
    duration_option<&HookSettings::timeout, 10, 60 * kSecondMs>(
        "hook-timeout", kHooks,
        "How long a question may take, with all tries; then what was asked is refused."),
    count_option<&HookSettings::concurrency, 1, 100'000>(
        "hook-concurrency", kHooks, "Questions to each hook that are under way at once."),
    count_option<&HookSettings::queue, 0, 10'000'000>(
        "hook-queue", kHooks, "Questions that wait behind them; more are refused at once."),
    count_option<&HookSettings::events_queue, 1, 100'000'000>(
        "hook-events-queue", kHooks,
        "Events that wait until they are taken; beyond it the oldest are lost, and counted."),
    size_option<&HookSettings::events_bytes, 64 * kKiB, 64 * std::uint64_t{kGiB}>(
        "hook-events-size", kHooks, "Bytes of them."),
    duration_option<&HookSettings::events_age, kSecondMs, 24 * kHourMs>(
        "hook-events-age", kHooks, "How long an event is tried before it is lost."),
};

}  // namespace sluice
