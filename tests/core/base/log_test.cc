#include "core/base/log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <limits>
#include <string>
#include <thread>
#include <vector>

namespace sluice {
namespace {

using namespace std::chrono_literals;

class CaptureSink final : public LogSink {
 public:
  void write(std::string_view line) noexcept override { text_ += line; }
  std::string take() { return std::exchange(text_, {}); }

 private:
  std::string text_;
};

class LogTest : public ::testing::Test {
 protected:
  // 2026-03-04T05:06:07.089Z, reached through the monotonic time that ManualClock shows as wall
  // time.
  LogTest() { clock_.set(Time{} + 1772600767089ms); }

  std::string text(std::string_view message, Logger::Fields fields = {}) {
    Logger(clock_, sink_, LogLevel::kTrace, LogFormat::kText).info(message, fields);
    return sink_.take();
  }
  std::string json(std::string_view message, Logger::Fields fields = {}) {
    Logger(clock_, sink_, LogLevel::kTrace, LogFormat::kJson).info(message, fields);
    return sink_.take();
  }

  ManualClock clock_;
  CaptureSink sink_;
};

TEST_F(LogTest, TextLineHasTimeLevelMessageAndFields) {
  EXPECT_EQ(text("listening", {{"address", "127.0.0.1:9999"}, {"shards", 2}}),
            "2026-03-04T05:06:07.089Z info  listening address=127.0.0.1:9999 shards=2\n");
}

TEST_F(LogTest, JsonLineHasTheSameAsMembers) {
  EXPECT_EQ(json("listening", {{"address", "127.0.0.1:9999"}, {"shards", 2}}),
            "{\"ts\":\"2026-03-04T05:06:07.089Z\",\"level\":\"info\",\"msg\":\"listening\","
            "\"address\":\"127.0.0.1:9999\",\"shards\":2}\n");
}

TEST_F(LogTest, EveryKindOfValueKeepsItsType) {
  const std::string owned = "s";
  const std::string line = json("m", {{"a", owned},
                                      {"b", -1},
                                      {"c", std::uint64_t{18446744073709551615u}},
                                      {"d", true},
                                      {"e", 0.5},
                                      {"f", std::size_t{7}},
                                      {"g", std::numeric_limits<double>::infinity()}});
  EXPECT_NE(
      line.find("\"a\":\"s\",\"b\":-1,\"c\":18446744073709551615,\"d\":true,\"e\":0.5,\"f\":7,"
                "\"g\":null}"),
      std::string::npos)
      << line;
}

TEST_F(LogTest, PeerTextCannotStartALineOfItsOwn) {
  const std::string evil = "x\n2026 info  forged a=1\r\x1b[2J\x7f";
  EXPECT_NE(text("m", {{"agent", evil}})
                .find("agent=\"x\\n2026 info  forged a=1\\u000d\\u001b[2J\\u007f\"\n"),
            std::string::npos);
  EXPECT_NE(json("m", {{"agent", evil}})
                .find("\"agent\":\"x\\n2026 info  forged a=1\\u000d\\u001b[2J\\u007f\"}\n"),
            std::string::npos);
  EXPECT_NE(text("one\ntwo").find(" one\\ntwo\n"), std::string::npos);
}

TEST_F(LogTest, QuotesAndBackslashesAreEscaped) {
  EXPECT_NE(text("m", {{"k", "a\"b\\c"}}).find("k=\"a\\\"b\\\\c\"\n"), std::string::npos);
  EXPECT_NE(json("m", {{"k", "a\"b\\c"}}).find("\"k\":\"a\\\"b\\\\c\"}"), std::string::npos);
}

TEST_F(LogTest, TextValuesThatCouldBeMisreadAreQuoted) {
  EXPECT_NE(text("m", {{"k", "a b"}}).find("k=\"a b\"\n"), std::string::npos);
  EXPECT_NE(text("m", {{"k", "a=b"}}).find("k=\"a=b\"\n"), std::string::npos);
  EXPECT_NE(text("m", {{"k", ""}}).find("k=\"\"\n"), std::string::npos);
}

TEST_F(LogTest, ValidUtf8StaysAndWhatTurnsOrBreaksLinesIsEscaped) {
  EXPECT_NE(json("m", {{"k", "你好 \U0001F600"}}).find("\"你好 \U0001F600\""), std::string::npos);
  EXPECT_NE(json("m", {{"k", "\u202e\u2028\u0085\u200f\u061c"}})
                .find("\"\\u202e\\u2028\\u0085\\u200f\\u061c\""),
            std::string::npos);
}

TEST_F(LogTest, InvalidUtf8NeverReachesTheLine) {
  // A stray continuation, an overlong slash, a surrogate, a code point too high, a cut-off
  // sequence.
  const std::array<std::string, 5> invalid = {"\x80", "\xc0\xaf", "\xed\xa0\x80",
                                              "\xf4\x90\x80\x80", "\xe4\xbd"};
  for (const std::string& bytes : invalid) {
    const std::string line = json("m", {{"k", bytes}});
    std::string expected = "\"k\":\"";
    for (std::size_t i = 0; i < bytes.size(); ++i) expected += "\\ufffd";
    EXPECT_NE(line.find(expected + "\"}"), std::string::npos) << line;
  }
  EXPECT_NE(text("m", {{"k", "a\xff"}}).find("k=\"a\\xff\"\n"), std::string::npos);
}

TEST_F(LogTest, LongValuesAreCutAtACharacter) {
  std::string value;
  for (int i = 0; i < 1000; ++i) value += "你";
  const std::string line = json("m", {{"k", value}});
  EXPECT_LE(line.size(), kLogValueMax + 200);
  EXPECT_NE(line.find("你...\"}\n"), std::string::npos);
}

TEST_F(LogTest, LinesAreBoundedAndStayWholeJson) {
  const std::string value(5000, '\x01');
  for (const bool is_json : {false, true}) {
    const Logger::Fields fields = {{"a", value}, {"b", value}, {"c", value},
                                   {"d", value}, {"e", value}, {"last", 1}};
    const std::string line = is_json ? json(value, fields) : text(value, fields);
    EXPECT_LE(line.size(), kLogLineMax);
    EXPECT_NE(line.find(is_json ? ",\"cut\":true}\n" : " cut=true\n"), std::string::npos) << line;
    EXPECT_NE(line.find("last"), std::string::npos) << "a short field fits after a dropped one";
  }
}

TEST_F(LogTest, LinesBelowTheLevelAreNotWritten) {
  const Logger logger(clock_, sink_, LogLevel::kWarn, LogFormat::kText);
  logger.trace("t");
  logger.debug("d");
  logger.info("i");
  EXPECT_EQ(sink_.take(), "");
  logger.warn("w");
  logger.error("e");
  EXPECT_EQ(sink_.take(), "2026-03-04T05:06:07.089Z warn  w\n2026-03-04T05:06:07.089Z error e\n");
}

class CountingSink final : public LogSink {
 public:
  void write(std::string_view lines) noexcept override { writes.emplace_back(lines); }
  std::vector<std::string> writes;
};

TEST(LogBatchTest, LinesLeaveTogetherAndLookLikeSingleOnes) {
  const ManualClock clock;
  CaptureSink single;
  CountingSink batched;
  const Logger one(clock, single, LogLevel::kInfo, LogFormat::kJson);
  const Logger many(clock, batched, LogLevel::kInfo, LogFormat::kJson);
  LogBatch batch(many);
  batch.flush();
  EXPECT_TRUE(batched.writes.empty());
  for (int i = 0; i < 3; ++i) {
    one.info("m", {{"k", "a\nb"}, {"i", i}});
    batch.add(LogLevel::kInfo, "m", {{"k", "a\nb"}, {"i", i}});
  }
  batch.add(LogLevel::kDebug, "below the level");
  EXPECT_TRUE(batched.writes.empty());
  batch.flush();
  EXPECT_EQ(batched.writes, std::vector<std::string>{single.take()});
}

TEST(LogBatchTest, WritesWholeLinesOfNoMoreThanAPipeTakesWhole) {
  const ManualClock clock;
  CountingSink sink;
  const Logger log(clock, sink, LogLevel::kInfo, LogFormat::kText);
  LogBatch batch(log);
  for (int i = 0; i < 100; ++i) batch.add(LogLevel::kInfo, "m", {{"k", std::string(150, 'x')}});
  batch.add(LogLevel::kInfo, std::string(5000, 'x'), {{"k", std::string(5000, '\1')}});
  batch.flush();
  std::size_t lines = 0;
  for (const std::string& write : sink.writes) {
    EXPECT_LE(write.size(), kLogLineMax);
    EXPECT_TRUE(write.ends_with('\n'));
    lines += static_cast<std::size_t>(std::count(write.begin(), write.end(), '\n'));
  }
  EXPECT_EQ(lines, 101u);
  EXPECT_LE(sink.writes.size(), 7u);
}

TEST(LogNames, ReadBackWhatTheyWrite) {
  for (const auto level :
       {LogLevel::kTrace, LogLevel::kDebug, LogLevel::kInfo, LogLevel::kWarn, LogLevel::kError}) {
    EXPECT_EQ(log_level_from(to_text(level)), level);
  }
  for (const auto format : {LogFormat::kText, LogFormat::kJson}) {
    EXPECT_EQ(log_format_from(to_text(format)), format);
  }
  EXPECT_FALSE(log_level_from("INFO").has_value());
  EXPECT_FALSE(log_format_from("xml").has_value());
}

class Pipe {
 public:
  Pipe() { EXPECT_EQ(::pipe2(ends_.data(), O_CLOEXEC | O_NONBLOCK), 0); }
  ~Pipe() {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  int writer() const { return ends_[1]; }
  std::string drain() {
    std::string text;
    std::array<char, 4096> piece;
    for (ssize_t count; (count = ::read(ends_[0], piece.data(), piece.size())) > 0;) {
      text.append(piece.data(), static_cast<std::size_t>(count));
    }
    return text;
  }

 private:
  std::array<int, 2> ends_{};
};

TEST(DescriptorSink, DropsAndCountsLinesWhenNobodyReads) {
  Pipe pipe;
  DescriptorSink sink(pipe.writer());
  std::string line(kLogLineMax, 'x');
  line.back() = '\n';
  std::uint64_t written = 0;
  while (sink.lines_lost() == 0) {
    sink.write(line);
    ++written;
  }
  --written;  // the last was lost
  EXPECT_GT(written, 0u);
  EXPECT_EQ(pipe.drain().size(), written * line.size());
  sink.write("again\n");
  EXPECT_EQ(pipe.drain(), "again\n");
  EXPECT_EQ(sink.lines_lost(), 1u);
  while (sink.lines_lost() == 1) sink.write("one\ntwo\nthree\n");
  EXPECT_EQ(sink.lines_lost(), 4u) << "lines that were to leave together are lost together";
}

TEST(DescriptorSink, KeepsLinesOfSeveralThreadsWhole) {
  Pipe pipe;
  DescriptorSink sink(pipe.writer());
  const SystemClock clock;
  const Logger logger(clock, sink, LogLevel::kInfo, LogFormat::kJson);
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 3; ++thread) {
    threads.emplace_back([&logger, thread] {
      for (int i = 0; i < 50; ++i) logger.info("line", {{"thread", thread}, {"i", i}});
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(sink.lines_lost(), 0u);
  std::string_view rest;
  const std::string text = pipe.drain();
  rest = text;
  int lines = 0;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    ASSERT_NE(end, std::string_view::npos);
    const std::string_view line = rest.substr(0, end);
    EXPECT_TRUE(line.starts_with("{\"ts\":\"") && line.ends_with("}")) << line;
    rest.remove_prefix(end + 1);
    ++lines;
  }
  EXPECT_EQ(lines, 150);
}

TEST(LogLimit, LetsABurstThroughThenItsRateAndSaysWhatItHeldBack) {
  LogLimit limit(10, 3);
  const Time start{1s};
  for (int i = 0; i < 3; ++i) EXPECT_EQ(limit.admit(start), 0u);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(limit.admit(start + 99ms), std::nullopt);
  EXPECT_EQ(limit.admit(start + 100ms), 5u);
  EXPECT_EQ(limit.admit(start + 100ms), std::nullopt);
  EXPECT_EQ(limit.admit(start + 200ms), 1u);
}

TEST(LogLimit, SavesUpNoMoreThanItsBurst) {
  LogLimit limit(10, 2);
  const Time start{1s};
  EXPECT_TRUE(limit.admit(start).has_value());
  const Time later = start + 24h;
  EXPECT_TRUE(limit.admit(later).has_value());
  EXPECT_TRUE(limit.admit(later).has_value());
  EXPECT_FALSE(limit.admit(later).has_value());
}

}  // namespace
}  // namespace sluice
