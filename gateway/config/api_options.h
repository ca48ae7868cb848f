// The options of the server API: a part of the table of options, which is long enough. Only
// option_table.cc includes this.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "gateway/config/option_setters.h"

namespace sluice {

// The files are read when the gateway starts, not when the options are only looked at.
inline Fault set_api_key_files(Options& options, Values values) {
  options.api.key_files.assign(values.begin(), values.end());
  return std::nullopt;
}

inline Fault set_api_on_clients(Options& options, Values values) {
  const auto is_on = parse_switch(values.back());
  if (!is_on) return not_understood(values.back(), is_on.error());
  options.api.on_clients = *is_on;
  return std::nullopt;
}

inline constexpr std::string_view kApi = "Server API";

inline constexpr std::array kApiOptions = {
    OptionSpec{"api-key-file", kApi, OptionKind::kList, "FILE",
               "Serve /api/ on --ops-listen to application servers that know a key in this file, "
               "one key a line. Unset: there is no API. May be repeated.",
               set_api_key_files, [](const Options& options) { return options.api.key_files; }},
    OptionSpec{"api-on-clients", kApi, OptionKind::kSwitch, "on|off",
               "Serve /api/ on --listen, too.", set_api_on_clients,
               [](const Options& options) { return Shown{options.api.on_clients ? "on" : "off"}; }},
    size_option<&ApiSettings::max_body, kKiB, kGiB>("api-max-body", kApi,
                                                    "The body of one request, else 413."),
    count_option<&ApiSettings::max_batch, 1, 1'000'000>(
        "api-max-batch", kApi, "Commands of one batch, and channels of one broadcast."),
    count_option<&ApiSettings::max_rate, 0, 1'000'000'000>(
        "api-max-rate", kApi, "Requests in a second, more get 429; 0: no limit."),
};

}  // namespace sluice
