// What the operator wants: the options, and how they are read.
//
// One table (option_table.cc) says everything about an option once: name, kind, range, unit, help,
// and where it goes in `Options`. The command line, the environment, the configuration file, --help
// and
// --check-config are all driven by it, so none can know an option that another does not.
// `--max-message` is `SLUICE_MAX_MESSAGE` in the environment and `max_message` in the file. The
// command line wins over the environment, which wins over the file, which wins over the default.
//
// Whatever is wrong is one line that names the option and the remedy, with exit code 2.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/log.h"
#include "gateway/api/api_settings.h"
#include "gateway/config/compression.h"
#include "gateway/config/limits.h"
#include "gateway/config/namespaces.h"
#include "gateway/hooks/hook_settings.h"
#include "gateway/origin.h"
#include "proto/token/claims.h"

namespace sluice {

enum class BackendChoice : std::uint8_t { kAuto, kUring, kEpoll };

struct Options {
  std::vector<std::string> listen = {"127.0.0.1:9999"};
  std::vector<std::string> ops_listen;
  unsigned shards = 0;  // 0: one for each CPU this process may use (see plan_shards)
  std::string cpus;     // "": not pinned; "auto": one per allowed CPU; else a list such as "0,2-3"
  BackendChoice backend = BackendChoice::kAuto;
  std::optional<bool> insecure_identities;  // unset: see AdmissionRules
  std::vector<std::string> token_key_files;
  token::Expectations token_expectations;
  std::string robot_url;  // "": nobody answers in the group chat
  std::string robot_name = "robot";
  std::vector<Origin> allow_origin;  // welcome besides the request's own host
  LogLevel log_level = LogLevel::kInfo;
  LogFormat log_format = LogFormat::kText;
  Limits limits;
  Namespaces namespaces;
  Compression compression;
  ApiSettings api;
  HookSettings hooks;
  std::string data;    // the directory of what is kept; "": it is kept in memory
  std::string config;  // the file that was read, if any
};

// The environment as a map, so that tests bring their own.
using Environment = std::map<std::string, std::string, std::less<>>;
Environment environment_from(const char* const* envp);

struct ParseOutcome {
  enum Action { kRun, kExit };
  Action action = kExit;
  Options options;    // meaningful with kRun
  int exit_code = 0;  // with kExit: 0 after --help, --version and a good --check-config, else 2
  std::string out;    // for standard output
  std::string err;    // for standard error: one line, newline included
};

inline constexpr int kExitUsage = 2;

// Reads the command line, `env`, and the file that either names. Touches nothing else.
ParseOutcome parse_options(int argc, const char* const* argv, const Environment& env);

}  // namespace sluice
