#include "gateway/config/options.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

namespace sluice {
namespace {

using namespace std::chrono_literals;

ParseOutcome parse(const std::vector<std::string>& arguments, const Environment& env = {}) {
  std::vector<const char*> argv = {"sluice"};
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  return parse_options(static_cast<int>(argv.size()), argv.data(), env);
}

Options options_of(std::vector<std::string> arguments, const Environment& env = {}) {
  const ParseOutcome outcome = parse(std::move(arguments), env);
  EXPECT_EQ(outcome.action, ParseOutcome::kRun) << outcome.err;
  return outcome.options;
}

// The one line on standard error, without its end; checks all that is common to refusals.
std::string refusal(std::vector<std::string> arguments, const Environment& env = {}) {
  const ParseOutcome outcome = parse(std::move(arguments), env);
  EXPECT_EQ(outcome.action, ParseOutcome::kExit);
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_EQ(outcome.out, "");
  EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
  EXPECT_TRUE(outcome.err.ends_with('\n'));
  return outcome.err.substr(0, outcome.err.size() - 1);
}

class TempFile {
 public:
  explicit TempFile(std::string_view content)
      : path_(::testing::TempDir() + "sluice_options_test_" + std::to_string(::getpid())) {
    std::ofstream(path_) << content;
  }
  ~TempFile() { ::unlink(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

TEST(Options, WithoutAnythingAreTheDefaults) {
  const Options options = options_of({});
  EXPECT_EQ(options.listen, std::vector<std::string>{"127.0.0.1:9999"});
  EXPECT_TRUE(options.ops_listen.empty());
  EXPECT_EQ(options.shards, 0u);
  EXPECT_EQ(options.cpus, "");
  EXPECT_EQ(options.backend, BackendChoice::kAuto);
  EXPECT_EQ(options.insecure_identities, std::nullopt);
  EXPECT_EQ(options.log_level, LogLevel::kInfo);
  EXPECT_EQ(options.log_format, LogFormat::kText);
  EXPECT_EQ(options.limits.max_message, 1024u * 1024);
  EXPECT_EQ(options.limits.ping_interval, Duration(25s));
}

TEST(Options, OfTheServerAreRead) {
  const Options options = options_of(
      {"--listen", "0.0.0.0:80", "--listen", "[::1]:0", "--listen", "unix:/run/s", "--ops-listen",
       "127.0.0.1:9998", "--shards", "3", "--cpus", "0,2-3", "--backend", "epoll",
       "--insecure-identities", "--log-level", "debug", "--log-format", "json"});
  EXPECT_EQ(options.listen, (std::vector<std::string>{"0.0.0.0:80", "[::1]:0", "unix:/run/s"}));
  EXPECT_EQ(options.ops_listen, std::vector<std::string>{"127.0.0.1:9998"});
  EXPECT_EQ(options.shards, 3u);
  EXPECT_EQ(options.cpus, "0,2-3");
  EXPECT_EQ(options.backend, BackendChoice::kEpoll);
  EXPECT_EQ(options.insecure_identities, true);
  EXPECT_EQ(options.log_level, LogLevel::kDebug);
  EXPECT_EQ(options.log_format, LogFormat::kJson);
  EXPECT_EQ(options_of({"--backend=io_uring"}).backend, BackendChoice::kUring);
  EXPECT_EQ(options_of({"--cpus=auto"}).cpus, "auto");
  EXPECT_EQ(options_of({"--cpus=none"}).cpus, "");
  EXPECT_EQ(options_of({"--insecure-identities=off"}).insecure_identities, false);
}

std::vector<std::string> texts_of(const std::vector<Origin>& origins) {
  std::vector<std::string> texts;
  for (const Origin& origin : origins) texts.push_back(origin.to_string());
  return texts;
}

TEST(Options, AllowedOriginsComeFromEverySource) {
  const std::vector<std::string> both = {"https://app.example", "http://localhost:3000"};
  EXPECT_TRUE(options_of({}).allow_origin.empty());
  EXPECT_EQ(texts_of(options_of({"--allow-origin", "https://App.example:443", "--allow-origin",
                                 "http://localhost:3000"})
                         .allow_origin),
            both);
  const Environment env = {{"SLUICE_ALLOW_ORIGIN", "https://app.example,http://localhost:3000"}};
  EXPECT_EQ(texts_of(options_of({}, env).allow_origin), both);
  const TempFile file("allow_origin = [\"https://app.example\", \"http://localhost:3000\"]\n");
  EXPECT_EQ(texts_of(options_of({"--config", file.path()}).allow_origin), both);
  EXPECT_EQ(texts_of(options_of({"--allow-origin", "null"}, env).allow_origin),
            std::vector<std::string>{"null"});
  const ParseOutcome shown = parse({"--check-config"}, env);
  EXPECT_NE(shown.out.find("allow_origin = [\"https://app.example\", \"http://localhost:3000\"]  "
                           "# SLUICE_ALLOW_ORIGIN\n"),
            std::string::npos)
      << shown.out;
}

struct SizeCase {
  const char* flag;
  std::size_t Limits::*member;
  const char* text;
  std::size_t expected;
};

TEST(Options, OfSizeAndCountReachTheirLimits) {
  const SizeCase cases[] = {
      {"--max-head", &Limits::max_head, "8KiB", 8 * kKiB},
      {"--max-message", &Limits::max_message, "16MiB", 16 * kMiB},
      {"--max-fragments", &Limits::max_fragments, "7", 7},
      {"--max-errors", &Limits::max_errors, "3", 3},
      {"--max-pings", &Limits::max_pings, "5", 5},
      {"--max-channels", &Limits::max_channels, "11", 11},
      {"--max-connections", &Limits::max_connections, "1000", 1000},
      {"--max-connections-per-address", &Limits::max_connections_per_address, "8", 8},
      {"--write-queue", &Limits::write_queue, "2MB", 2'000'000},
      {"--write-queues-total", &Limits::write_queues_total, "1GiB", kGiB},
      {"--inbox-aside", &Limits::inbox_aside, "8MiB", 8 * kMiB},
  };
  for (const SizeCase& one : cases) {
    EXPECT_EQ(options_of({one.flag, one.text}).limits.*one.member, one.expected) << one.flag;
    EXPECT_NE(kDefaultLimits.*one.member, one.expected) << "the case proves nothing: " << one.flag;
  }
}

struct DurationCase {
  const char* flag;
  Duration Limits::*member;
};

TEST(Options, OfDurationReachTheirLimits) {
  const DurationCase cases[] = {
      {"--handshake-timeout", &Limits::handshake_timeout},
      {"--keep-alive-timeout", &Limits::keep_alive_timeout},
      {"--fragment-timeout", &Limits::fragment_timeout},
      {"--write-timeout", &Limits::write_timeout},
      {"--ping-interval", &Limits::ping_interval},
      {"--ping-timeout", &Limits::ping_timeout},
      {"--close-timeout", &Limits::close_timeout},
      {"--shutdown-timeout", &Limits::shutdown_timeout},
  };
  for (const DurationCase& one : cases) {
    EXPECT_EQ(options_of({one.flag, "1500ms"}).limits.*one.member, Duration(1500ms)) << one.flag;
  }
}

TEST(Options, CommandLineWinsOverEnvironmentOverFileOverDefault) {
  const TempFile file("max_message = \"2MiB\"\nmax_fragments = 2\nshards = 2\n");
  const Environment env = {{"SLUICE_MAX_FRAGMENTS", "3"}, {"SLUICE_SHARDS", "3"}};
  const Options options = options_of({"--config", file.path(), "--shards", "4"}, env);
  EXPECT_EQ(options.limits.max_message, 2 * kMiB);
  EXPECT_EQ(options.limits.max_fragments, 3u);
  EXPECT_EQ(options.shards, 4u);
  EXPECT_EQ(options.limits.max_head, 16 * kKiB);
  EXPECT_EQ(options.config, file.path());
}

TEST(Options, AListIsReplacedAsAWhole) {
  const TempFile file("listen = [\"127.0.0.1:1\", \"127.0.0.1:2\"]\n");
  EXPECT_EQ(options_of({"--config", file.path()}).listen.size(), 2u);
  EXPECT_EQ(options_of({"--config", file.path(), "--listen", "127.0.0.1:3"}).listen,
            std::vector<std::string>{"127.0.0.1:3"});
}

TEST(Options, OfNamespacesAreReadFromEverySourceAndComeTogether) {
  const TempFile file(
      "[namespace.news]\nhistory_messages = 5\npresence = true\n"
      "[namespace.chat]\nslow_consumer = \"drop-oldest\"\n");
  const Environment env = {{"SLUICE_NAMESPACE", "news.history_messages=6,sports.presence=on"}};
  const Options options =
      options_of({"--config", file.path(), "--namespace", "news.history_messages=7",
                  "--history-messages", "9", "--slow-consumer", "sports=drop-newest"},
                 env);
  const ChannelOptions& news = options.namespaces.of("news");
  EXPECT_EQ(news.history_messages, 7u);
  EXPECT_TRUE(news.presence);
  EXPECT_EQ(options.namespaces.of("chat").history_messages, 9u);
  EXPECT_EQ(options.namespaces.of("chat").slow_consumer, SlowConsumer::kDropOldest);
  EXPECT_EQ(options.namespaces.of("sports").slow_consumer, SlowConsumer::kDropNewest);
}

TEST(Options, TheEnvironmentMayNameTheFileAndTheCommandLineAnother) {
  const TempFile file("shards = 2\n");
  EXPECT_EQ(options_of({}, {{"SLUICE_CONFIG", file.path()}}).shards, 2u);
  EXPECT_EQ(options_of({"--config", file.path()}, {{"SLUICE_CONFIG", "/nonexistent"}}).shards, 2u);
}

TEST(Options, OfASingleValueSaidTwiceTakeTheLast) {
  EXPECT_EQ(options_of({"--shards", "2", "--shards", "3"}).shards, 3u);
}

TEST(Refusals, NameTheOptionAndTheRemedy) {
  EXPECT_EQ(
      refusal({"--max-message", "16X"}),
      "sluice: --max-message: cannot read '16X': write bytes, with a unit if you like, such as "
      "65536, 512KiB or 16MiB");
  EXPECT_EQ(refusal({"--max-message", "2GiB"}),
            "sluice: --max-message: 2GiB is out of range; choose 125B to 1GiB");
  EXPECT_EQ(refusal({"--max-head", "17KiB"}),
            "sluice: --max-head: 17KiB is out of range; choose 1KiB to 16KiB");
  EXPECT_EQ(refusal({"--ping-interval", "25"}),
            "sluice: --ping-interval: cannot read '25': write a number and ms, s, m or h, such as "
            "500ms, 25s or 2m");
  EXPECT_EQ(refusal({"--ping-interval", "0s"}),
            "sluice: --ping-interval: 0s is out of range; choose 100ms to 1h");
  EXPECT_EQ(refusal({"--shards", "-1"}),
            "sluice: --shards: cannot read '-1': write a whole number, such as 100");
  EXPECT_EQ(refusal({"--shards", "65"}), "sluice: --shards: 65 is out of range; choose 0 to 64");
  EXPECT_EQ(refusal({"--backend", "kqueue"}),
            "sluice: --backend: cannot read 'kqueue': choose auto, io_uring or epoll");
  EXPECT_EQ(refusal({"--cpus", "3-1"}),
            "sluice: --cpus: cannot read '3-1': write a list such as 0,2-3, or auto or none");
  EXPECT_EQ(refusal({"--insecure-identities=maybe"}),
            "sluice: --insecure-identities: cannot read 'maybe': choose on or off");
  EXPECT_EQ(refusal({"--slow-consumer", "chat=drop"}),
            "sluice: --slow-consumer: cannot read 'chat.slow_consumer=drop': choose disconnect, "
            "drop-oldest or drop-newest");
  EXPECT_EQ(refusal({}, {{"SLUICE_SLOW_CONSUMER", "all=drop-oldest"}}),
            "sluice: SLUICE_SLOW_CONSUMER: cannot read 'all=drop-oldest': there is no namespace "
            "'all'");
  EXPECT_EQ(refusal({"--log-level", "loud"}),
            "sluice: --log-level: cannot read 'loud': choose trace, debug, info, warn or error");
  EXPECT_EQ(refusal({"--namespace", "news.sync=on"}),
            "sluice: namespace setting news.sync=on needs a disk to write to: name a directory "
            "with --data");
  EXPECT_EQ(refusal({"--namespace", "news.sync=on", "--data", "d"}),
            "sluice: namespace setting news.sync=on needs something that is kept: set "
            "news.history_messages");
  EXPECT_EQ(refusal({"--namespace", "user.sync=on", "--data", "d", "--mailbox-messages", "0"}),
            "sluice: namespace setting user.sync=on needs something that is kept: set "
            "--mailbox-messages");
  EXPECT_EQ(refusal({"--log-format", "xml"}),
            "sluice: --log-format: cannot read 'xml': choose text or json");
}

TEST(Refusals, NameTheSourceOfABadValueEvenIfAnotherWouldWin) {
  const std::string in_environment = refusal({"--shards", "2"}, {{"SLUICE_SHARDS", "two"}});
  EXPECT_EQ(in_environment,
            "sluice: SLUICE_SHARDS: cannot read 'two': write a whole number, such as 100");
  const TempFile file("\nshards = \"two\"\n");
  EXPECT_EQ(refusal({"--config", file.path()}),
            "sluice: " + file.path() +
                ":2: shards: cannot read 'two': write a whole number, such as 100");
}

TEST(Refusals, CoverAddressesThatCannotBeListenedOn) {
  for (const char* address :
       {"x", "127.0.0.1", "127.0.0.1:65536", "127.0.0.1:", "unix:", "[::1]", "example.org:80"}) {
    EXPECT_TRUE(refusal({"--listen", address}).starts_with("sluice: --listen: cannot read '"))
        << address;
  }
  EXPECT_TRUE(refusal({"--ops-listen", "x"}).starts_with("sluice: --ops-listen: "));
}

TEST(Refusals, CoverOriginsThatNoPageHas) {
  EXPECT_EQ(refusal({"--allow-origin", "https://app.example/"}),
            "sluice: --allow-origin: cannot read 'https://app.example/': end it after the host or "
            "the port, without path, query or even a slash");
  EXPECT_EQ(refusal({}, {{"SLUICE_ALLOW_ORIGIN", "https://app.example,*"}}),
            "sluice: SLUICE_ALLOW_ORIGIN: cannot read '*': there are no wildcards; name each "
            "origin");
  EXPECT_EQ(refusal({"--allow-origin"}), "sluice: --allow-origin: needs a value: URL");
  EXPECT_EQ(refusal({"--allow-origin", "https://app.example", "--allow-origin", "app.example:1"}),
            "sluice: --allow-origin: cannot read 'app.example:1': write scheme://host or "
            "scheme://host:port, such as https://app.example, or null");
  const TempFile file("\nallow_origin = [\"https://app.example:0\"]\n");
  EXPECT_EQ(refusal({"--config", file.path()}),
            "sluice: " + file.path() +
                ":2: allow_origin: cannot read 'https://app.example:0': the "
                "port must be 1 to 65535");
}

TEST(Refusals, CoverMissingValues) {
  EXPECT_EQ(refusal({"--max-message"}), "sluice: --max-message: needs a value: SIZE");
  EXPECT_EQ(refusal({"--listen="}), "sluice: --listen: needs a value: ADDR:PORT");
  EXPECT_EQ(refusal({"--config"}), "sluice: --config: needs a value: FILE");
  const TempFile file("listen = []\n");
  EXPECT_EQ(refusal({"--config", file.path()}),
            "sluice: " + file.path() + ":1: listen: needs a value: ADDR:PORT");
}

TEST(Refusals, CoverUnknownNamesInEverySource) {
  EXPECT_EQ(refusal({"--max-mesage", "1"}),
            "sluice: unknown option '--max-mesage'; did you mean '--max-message'?");
  EXPECT_EQ(refusal({}, {{"SLUICE_SHARD", "1"}}),
            "sluice: unknown environment variable 'SLUICE_SHARD'; did you mean 'SLUICE_SHARDS'?");
  const TempFile file("shard = 1\n");
  EXPECT_EQ(refusal({"--config", file.path()}),
            "sluice: " + file.path() + ":1: unknown option 'shard'; did you mean 'shards'?");
}

TEST(Refusals, CoverAFileThatCannotBeRead) {
  EXPECT_EQ(refusal({"--config", "/nonexistent"}),
            "sluice: --config: cannot read '/nonexistent': No such file or directory");
  EXPECT_EQ(refusal({}, {{"SLUICE_CONFIG", "/nonexistent"}}),
            "sluice: SLUICE_CONFIG: cannot read '/nonexistent': No such file or directory");
}

TEST(Refusals, CoverOptionsThatContradictEachOther) {
  EXPECT_EQ(
      refusal({"--write-queue", "512MiB"}),
      "sluice: --write-queue is above --write-queues-total: lower the first or raise the second");
  EXPECT_EQ(
      refusal({"--max-message", "512MiB"}),
      "sluice: --max-message is above --write-queues-total: lower the first or raise the second");
  EXPECT_EQ(refusal({"--max-message", "128MiB"}),
            "sluice: --max-message is above --inbox-aside: lower the first or raise the second");
  EXPECT_EQ(refusal({"--max-connections", "5", "--max-connections-per-address", "6"}),
            "sluice: --max-connections-per-address is above --max-connections: lower the first or "
            "raise the second");
  EXPECT_EQ(refusal({"--listen", "127.0.0.1:5", "--ops-listen", "127.0.0.1:5"}),
            "sluice: '127.0.0.1:5' is named twice by --listen and --ops-listen: name it once");
  options_of({"--listen", "127.0.0.1:0", "--ops-listen", "127.0.0.1:0"});
  for (const char* option : {"--token-audience", "--token-issuer"}) {
    EXPECT_EQ(refusal({option, "a"}),
              "sluice: --token-audience and --token-issuer are of tokens: name a --token-key-file, "
              "too");
  }
}

TEST(Refusals, AreOneLineWhateverAValueHolds) {
  const std::string line = refusal({"--shards", "1\n2\x1b[2J"});
  EXPECT_EQ(line, "sluice: --shards: cannot read '1?2?[2J': write a whole number, such as 100");
}

TEST(Commands, HelpAndVersionGoToStandardOutput) {
  const ParseOutcome help = parse({"--help"});
  EXPECT_EQ(help.action, ParseOutcome::kExit);
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_TRUE(help.out.find("Usage: sluice [options]") != std::string::npos);
  EXPECT_EQ(help.err, "");
  const ParseOutcome version = parse({"--version"});
  EXPECT_EQ(version.exit_code, 0);
  EXPECT_TRUE(version.out.starts_with("sluice "));
}

TEST(Commands, CheckConfigPrintsWhatIsInForceAndWhy) {
  const TempFile file("max_fragments = 2\n");
  const ParseOutcome outcome = parse({"--check-config", "--config", file.path(), "--shards", "2"},
                                     {{"SLUICE_MAX_MESSAGE", "2MiB"}});
  EXPECT_EQ(outcome.action, ParseOutcome::kExit);
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.err, "");
  for (const std::string& line : {std::string("shards = 2  # --shards\n"),
                                  std::string("max_message = \"2MiB\"  # SLUICE_MAX_MESSAGE\n"),
                                  "max_fragments = 2  # " + file.path() + ":1: max_fragments\n",
                                  std::string("ping_interval = \"25s\"  # default\n")}) {
    EXPECT_NE(outcome.out.find(line), std::string::npos) << line << "in\n" << outcome.out;
  }
}

TEST(Commands, WhatCheckConfigPrintsIsAConfigurationFile) {
  const ParseOutcome first = parse({"--check-config"});
  const TempFile file(first.out);
  const ParseOutcome second = parse({"--check-config", "--config", file.path()});
  EXPECT_EQ(second.exit_code, 0) << second.err;
}

TEST(Commands, CheckConfigRefusesWhatAStartWouldRefuse) {
  EXPECT_EQ(refusal({"--check-config", "--shards", "x"}),
            "sluice: --shards: cannot read 'x': write a whole number, such as 100");
}

}  // namespace
}  // namespace sluice
