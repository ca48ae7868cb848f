#include "gateway/access_log.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "gateway/config/limits.h"
#include "proto/http/request_parser.h"

namespace sluice {
namespace {

using namespace std::chrono_literals;

class CaptureSink final : public LogSink {
 public:
  void write(std::string_view lines) noexcept override { writes.emplace_back(lines); }

  std::string text() const {
    std::string all;
    for (const std::string& write : writes) all += write;
    return all;
  }
  std::size_t count(std::string_view part) const {
    std::size_t found = 0;
    const std::string all = text();
    for (std::size_t at = 0; (at = all.find(part, at)) != std::string::npos; ++at) ++found;
    return found;
  }

  std::vector<std::string> writes;
};

class AccessLogTest : public ::testing::Test {
 protected:
  static constexpr std::size_t kPerSecond = 5;

  explicit AccessLogTest(LogFormat format = LogFormat::kText)
      : log_(clock_, sink_, LogLevel::kInfo, format), timers_(clock_.now()) {
    access_ = std::make_unique<AccessLog>(log_, timers_, held_back_, 3, kPerSecond);
  }

  void ask(const std::string& head = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n") {
    const Simd simd = Simd::detect();
    http::RequestParser parser(simd);
    const auto progress = parser.parse(as_bytes(head));
    ASSERT_TRUE(progress && *progress == http::Progress::kComplete);
    access_->add(clock_.now(), SocketAddress::ipv4(0x01020304, 5), &parser.request(), 200, "http");
  }
  void ask_times(int count) {
    for (int i = 0; i < count; ++i) ask();
  }
  // A turn of the shard that ends `by` later.
  void turn(Duration by = Duration::zero()) {
    clock_.advance(by);
    timers_.advance(clock_.now(), 100);
    access_->flush();
  }
  std::size_t lines() const { return sink_.count(" request "); }

  ManualClock clock_;
  CaptureSink sink_;
  Logger log_;
  TimerWheel timers_;
  Counter held_back_;
  std::unique_ptr<AccessLog> access_;
};

TEST_F(AccessLogTest, SaysWhoAskedForWhatAndWhatBecameOfIt) {
  ask("GET /chat HTTP/1.1\r\nHost: h\r\nUser-Agent: curl/8\r\n\r\n");
  access_->add(clock_.now(), SocketAddress::ipv4(0x01020304, 6), nullptr, 400, "bad_request");
  turn();
  EXPECT_EQ(sink_.text(),
            "1970-01-01T00:00:01.000Z info  request peer=1.2.3.4:5 method=GET path=/chat "
            "status=200 outcome=http agent=curl/8\n"
            "1970-01-01T00:00:01.000Z info  request peer=1.2.3.4:6 method=- path=- "
            "status=400 outcome=bad_request agent=-\n");
}

TEST_F(AccessLogTest, LinesOfATurnLeaveWithOneWrite) {
  ask_times(3);
  EXPECT_TRUE(sink_.writes.empty());
  turn();
  EXPECT_EQ(sink_.writes.size(), 1u);
  EXPECT_EQ(lines(), 3u);
  turn();
  EXPECT_EQ(sink_.writes.size(), 1u) << "nothing to say is no write";
}

TEST_F(AccessLogTest, NoSecondHasMoreLinesWhereverItBegins) {
  std::vector<Time> moments;
  for (int step = 0; step < 400; ++step) {
    const std::size_t before = lines();
    ask_times(step % 3);
    turn(17ms);
    for (std::size_t i = before; i < lines(); ++i) moments.push_back(clock_.now());
  }
  ASSERT_GE(moments.size(), 5 * kPerSecond) << "the rate is used";
  for (std::size_t i = kPerSecond; i < moments.size(); ++i) {
    EXPECT_GE(moments[i] - moments[i - kPerSecond], Duration(1s));
  }
}

TEST_F(AccessLogTest, CountsTheRestWithinASecondEvenIfNothingElseHappens) {
  ask_times(20);
  turn();
  EXPECT_EQ(lines(), kPerSecond);
  EXPECT_EQ(held_back_.value(), 20 - kPerSecond);
  turn(999ms);
  EXPECT_EQ(sink_.count("held back"), 0u);
  turn(1ms + TimerWheel::kTick);
  EXPECT_EQ(sink_.count("info  requests held back count=15 shard=3\n"), 1u) << sink_.text();
  turn(10s);
  EXPECT_EQ(sink_.count("held back"), 1u) << "said once";
}

TEST_F(AccessLogTest, EveryRequestHasALineOrIsCounted) {
  std::size_t asked = 0;
  for (int step = 0; step < 300; ++step, asked += 2) {
    ask_times(2);
    turn(50ms);
  }
  turn(1s + TimerWheel::kTick);
  std::size_t counted = 0;
  const std::string text = sink_.text();
  constexpr std::string_view kCount = "count=";
  for (std::size_t at = 0; (at = text.find(kCount, at)) != std::string::npos;) {
    counted += std::stoul(text.substr(at += kCount.size()));
  }
  EXPECT_EQ(lines() + counted, asked);
  EXPECT_EQ(held_back_.value(), counted);
  EXPECT_LE(sink_.count("held back"), 16u) << "once a second";
}

TEST_F(AccessLogTest, TheEndSaysWhatWasOnlyCounted) {
  ask_times(6);
  access_->close();
  EXPECT_EQ(lines(), kPerSecond);
  EXPECT_EQ(sink_.count("requests held back count=1 "), 1u);
  turn(2s);
  EXPECT_EQ(sink_.count("held back"), 1u);
}

TEST_F(AccessLogTest, CredentialsNeverReachALine) {
  ask("GET /sendone?token=secret&key=secret HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer secret\r\n"
      "Cookie: sid=secret\r\nSec-WebSocket-Protocol: secret\r\nX-Token: secret\r\n\r\n");
  ask("GET http://h/chat?secret HTTP/1.1\r\nHost: h\r\n\r\n");
  turn();
  EXPECT_EQ(sink_.count("secret"), 0u) << sink_.text();
  EXPECT_EQ(sink_.count("path=/sendone "), 1u);
}

TEST_F(AccessLogTest, BelowItsLevelThereIsNothingToCount) {
  const Logger quiet(clock_, sink_, LogLevel::kWarn, LogFormat::kText);
  access_ = std::make_unique<AccessLog>(quiet, timers_, held_back_, 3, kPerSecond);
  ask_times(20);
  turn(2s);
  EXPECT_TRUE(sink_.writes.empty());
  EXPECT_EQ(held_back_.value(), 0u);
}

// What a peer may put into a head reaches the line escaped, in both formats.
class HostileText : public AccessLogTest, public ::testing::WithParamInterface<LogFormat> {
 protected:
  HostileText() : AccessLogTest(GetParam()) {}
};

TEST_P(HostileText, CannotForgeALineOrAField) {
  const std::vector<std::string> agents = {
      "x\" status=500 outcome=\"forged",
      "x\",\"status\":500,\"forged\":\"",
      "tab\there",
      "\\\" a=b",
      "c1 \xc2\x9b[2J",
      "turned \xe2\x80\xae around \xe2\x80\xa8 line",
      "stray \x80\xff overlong \xc0\xaf surrogate \xed\xa0\x80 cut \xe4\xbd",
      std::string(3000, '\xff'),
  };
  for (const std::string& agent : agents) {
    sink_.writes.clear();
    ask("GET /%0a%1b[2J\"=x\\ HTTP/1.1\r\nHost: h\r\nUser-Agent: " + agent + "\r\n\r\n");
    turn(1s);
    const std::string text = sink_.text();
    ASSERT_EQ(sink_.count("\n"), 1u) << text;
    EXPECT_EQ(text.find('\n'), text.size() - 1);
    EXPECT_LE(text.size(), kLogLineMax);
    for (const char* raw : {"\t", "\x9b", "\x80\xae", "\xff", "\xc0", "\xed"}) {
      EXPECT_EQ(text.find(raw), std::string::npos) << text;
    }
    // Outside of quotes nothing of the peer's is left.
    std::string outside;
    bool is_quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (is_quoted && text[i] == '\\') {
        ++i;
      } else if (text[i] == '"') {
        is_quoted = !is_quoted;
      } else if (!is_quoted) {
        outside += text[i];
      }
    }
    EXPECT_FALSE(is_quoted) << text;
    EXPECT_EQ(outside.find("forged"), std::string::npos) << text;
    EXPECT_EQ(outside.find("500"), std::string::npos) << text;
    EXPECT_EQ(outside.find("[2J"), std::string::npos) << text;
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, HostileText,
                         ::testing::Values(LogFormat::kText, LogFormat::kJson),
                         [](const auto& suite) { return std::string(to_text(suite.param)); });

TEST(AccessLines, OfAllShardsAreTheWholeAndNoneIsEmpty) {
  for (std::uint32_t shards = 1; shards <= kShardsMax; ++shards) {
    std::size_t total = 0;
    for (std::uint32_t shard = 0; shard < shards; ++shard) {
      const std::size_t part = access_lines_of(shard, shards, kDefaultLimits.access_lines);
      EXPECT_GE(part, 1u);
      total += part;
    }
    EXPECT_EQ(total, kDefaultLimits.access_lines);
  }
}

}  // namespace
}  // namespace sluice
