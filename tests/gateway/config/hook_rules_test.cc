#include "gateway/config/hook_rules.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

#include "gateway/config/options.h"

namespace sluice {
namespace {

using namespace std::chrono_literals;
using Texts = std::vector<std::string>;

ParseOutcome parse(const Texts& arguments) {
  std::vector<const char*> argv = {"sluice"};
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  return parse_options(static_cast<int>(argv.size()), argv.data(), {});
}

class TempFile {
 public:
  explicit TempFile(std::string_view content)
      : path_(::testing::TempDir() + "sluice_hook_rules_test_" + std::to_string(::getpid())) {
    std::ofstream(path_) << content;
  }
  ~TempFile() { ::unlink(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

TEST(HookOptions, AreOffUnlessThereIsAUrl) {
  const HookSettings off = parse({}).options.hooks;
  EXPECT_FALSE(off.has_any());
  EXPECT_FALSE(off.asks_about(DialectKind::kCentrifuge));
  const HookSettings on = parse({"--hook-events-url", "http://app/events"}).options.hooks;
  EXPECT_TRUE(on.has_any() && on.has(HookKind::kEvents));
  EXPECT_FALSE(on.has(HookKind::kConnect) || on.asks_about(DialectKind::kCentrifuge));
}

TEST(HookOptions, SayWhatTheySay) {
  const ParseOutcome outcome = parse({"--hook-connect-url",   "http://app/c",
                                      "--hook-subscribe-url", "https://app/s",
                                      "--hook-publish-url",   "http://app/p",
                                      "--hook-events-url",    "http://app/e",
                                      "--hook-connect-for",   "chat",
                                      "--hook-connect-for",   "relay",
                                      "--hook-header",        "Cookie",
                                      "--hook-header",        "x-real-ip",
                                      "--hook-secret-file",   "a",
                                      "--hook-secret-file",   "b",
                                      "--hook-timeout",       "2s",
                                      "--hook-concurrency",   "7",
                                      "--hook-queue",         "0",
                                      "--hook-events-queue",  "8",
                                      "--hook-events-size",   "1MiB",
                                      "--hook-events-age",    "5m"});
  ASSERT_EQ(outcome.action, ParseOutcome::kRun) << outcome.err;
  const HookSettings& hooks = outcome.options.hooks;
  EXPECT_EQ(Texts(hooks.urls.begin(), hooks.urls.end()),
            (Texts{"http://app/c", "https://app/s", "http://app/p", "http://app/e"}));
  EXPECT_TRUE(hooks.asks_about(DialectKind::kChat) && hooks.asks_about(DialectKind::kRelay));
  EXPECT_FALSE(hooks.asks_about(DialectKind::kCentrifuge));
  EXPECT_EQ(hooks.headers, (Texts{"Cookie", "x-real-ip"}));
  EXPECT_EQ(hooks.secret_files, (Texts{"a", "b"}));
  EXPECT_EQ(hooks.timeout, Duration(2s));
  EXPECT_EQ(hooks.concurrency, 7u);
  EXPECT_EQ(hooks.queue, 0u);
  EXPECT_EQ(hooks.events_queue, 8u);
  EXPECT_EQ(hooks.events_bytes, 1024u * 1024);
  EXPECT_EQ(hooks.events_age, Duration(5min));
}

TEST(HookOptions, WhatIsWrongIsSaid) {
  EXPECT_NE(parse({"--hook-connect-url", "ftp://user:pw@app/"}).err.find("neither http nor https"),
            std::string::npos);
  EXPECT_EQ(parse({"--hook-connect-url", "ftp://user:pw@app/"}).err.find("pw"), std::string::npos);
  for (const char* const dialect : {"echo", "x", "Chat"}) {
    EXPECT_NE(parse({"--hook-connect-for", dialect}).err.find("choose centrifuge, chat or relay"),
              std::string::npos);
  }
  EXPECT_NE(parse({"--hook-header", "Host"}).err.find("the request's own"), std::string::npos);
}

TEST(HookRules, OnlyNamesOfFieldsThatAreNotOursArePassedOn) {
  for (const std::string_view name : {"Cookie", "Authorization", "X-Real-IP", "a!b"}) {
    EXPECT_EQ(hook_header_fault(name), nullptr) << name;
  }
  for (const std::string_view name :
       {"", "a b", "a:", "a\nb", "\xc3\xa4", "host", "CONTENT-LENGTH", "Transfer-Encoding", "TE",
        "connection", "upgrade", "sluice-signature", "Content-Type", "expect"}) {
    EXPECT_NE(hook_header_fault(name), nullptr) << name;
  }
}

TEST(HookRules, ANamespaceThatAsksNeedsTheHook) {
  const auto fault = [](const char* setting) {
    const ParseOutcome outcome =
        parse({"--namespace", setting, "--hook-connect-url", "http://app/"});
    return outcome.action == ParseOutcome::kRun ? std::string() : outcome.err;
  };
  EXPECT_EQ(fault("news.subscribe_hook=on"),
            "sluice: the namespace 'news' has subscribe_hook but there is no hook: set "
            "--hook-subscribe-url or turn it off\n");
  EXPECT_EQ(fault("default.publish_hook=on"),
            "sluice: the namespace 'default' has publish_hook but there is no hook: set "
            "--hook-publish-url or turn it off\n");
  EXPECT_EQ(fault("news.publish_hook=off"), "");
  EXPECT_NE(fault("chat.publish_hook=on").find("the settings of 'chat' are"), std::string::npos);
  EXPECT_NE(fault("user.subscribe_hook=on").find("the settings of 'user' are"), std::string::npos);
  EXPECT_EQ(parse({"--namespace", "news.publish_hook=on", "--hook-publish-url", "http://a/"}).err,
            "");
}

TEST(HookRules, SecretsStandOneALine) {
  HookSettings hooks;
  EXPECT_EQ(read_hook_secrets(hooks), Texts{});
  {
    const TempFile file("  first \r\n\n\tsecond secret");
    hooks.secret_files = {file.path()};
    EXPECT_EQ(read_hook_secrets(hooks), (Texts{"first", "second secret"}));
  }
  {
    const TempFile file(" \n\n");
    const auto read = read_hook_secrets(hooks);
    ASSERT_FALSE(read.has_value());
    EXPECT_EQ(read.error(),
              "--hook-secret-file: there is no key in '" + file.path() + "': write one a line");
  }
  EXPECT_TRUE(read_hook_secrets(hooks).error().starts_with("--hook-secret-file: cannot read '"));
  {
    const TempFile file("1\n2\n3\n4\n5\n6\n7\n8\n9\n");
    EXPECT_TRUE(
        read_hook_secrets(hooks).error().starts_with("--hook-secret-file: more than 8 secrets"));
  }
}

}  // namespace
}  // namespace sluice
