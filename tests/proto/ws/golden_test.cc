// Replays golden/*.txt: each case at every split, saved and thawed, with every instruction set.
//
// A file holds cases, separated by `case NAME` lines:
//   max_message N, max_fragments N, role client   options, before the input
//   in   hex bytes and "text", the latter perhaps as "text"*COUNT; several lines are one stream
//   out  one event, as tests/proto/ws/reader_driver.h writes it; "text"*COUNT here too
//   unfinished                                    the stream ends inside a frame or message

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/proto/ws/reader_driver.h"
#include "tests/proto/ws/test_buffers.h"

namespace sluice::test {
namespace {

struct GoldenCase {
  std::string name;
  ws::ReaderContext context;
  std::string stream;
  EventLog events;
  bool is_unfinished = false;
};

std::size_t to_number(std::string_view text) {
  std::size_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// Takes `"text"` or `"text"*COUNT` off the front of `line` and returns what is between the quotes.
std::string take_quoted(std::string_view& line) {
  const std::size_t end = line.find('"', 1);
  std::string text(line.substr(1, end - 1));
  line.remove_prefix(end + 1);
  if (!line.starts_with('*')) return text;
  const std::size_t digits = std::min(line.find_first_not_of("0123456789", 1), line.size());
  std::string repeated;
  for (std::size_t n = to_number(line.substr(1, digits - 1)); n > 0; --n) repeated += text;
  line.remove_prefix(digits);
  return repeated;
}

std::string parse_input(std::string_view line) {
  std::string bytes;
  while (!line.empty()) {
    if (line.front() == ' ') {
      line.remove_prefix(1);
    } else if (line.front() == '"') {
      bytes += take_quoted(line);
    } else {
      unsigned byte = 0;
      const auto parsed = std::from_chars(line.data(), line.data() + 2, byte, 16);
      EXPECT_EQ(parsed.ptr, line.data() + 2) << "no hex byte: " << line;
      bytes += static_cast<char>(byte);
      line.remove_prefix(2);
    }
  }
  return bytes;
}

std::string parse_event(std::string_view line) {
  const std::size_t quote = std::min(line.find('"'), line.size());
  std::string event(line.substr(0, quote));
  line.remove_prefix(quote);
  return line.empty() ? event : event + '"' + take_quoted(line) + '"';
}

void parse_line(std::string_view line, GoldenCase& golden) {
  const std::string_view word = line.substr(0, line.find(' '));
  std::string_view rest = line.substr(std::min(line.size(), word.size() + 1));
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  if (word == "in") {
    golden.stream += parse_input(rest);
  } else if (word == "out") {
    golden.events.push_back(parse_event(rest));
  } else if (word == "unfinished") {
    golden.is_unfinished = true;
  } else if (word == "max_message") {
    golden.context.limits.max_message = static_cast<std::uint32_t>(to_number(rest));
  } else if (word == "max_fragments") {
    golden.context.limits.max_fragments = static_cast<std::uint32_t>(to_number(rest));
  } else if (line == "role client") {
    golden.context.role = ws::Role::kClient;
  } else {
    ADD_FAILURE() << "not understood: " << line;
  }
}

std::vector<GoldenCase> read_cases(const std::filesystem::path& path) {
  std::vector<GoldenCase> cases;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.front() == '#') continue;
    if (line.starts_with("case ")) {
      cases.emplace_back().name = line.substr(5);
    } else if (!cases.empty()) {
      parse_line(line, cases.back());
    }
  }
  return cases;
}

TEST(MessageReaderGolden, EveryCaseGivesItsEventsAtEverySplit) {
  std::size_t replayed = 0;
  for (const auto& entry : std::filesystem::directory_iterator(SLUICE_GOLDEN_DIR)) {
    for (GoldenCase& golden : read_cases(entry.path())) {
      for (const Simd& simd : all_simd()) {
        SCOPED_TRACE(fmt::format("{}, {}, {}", entry.path().filename().string(), golden.name,
                                 name_of(simd.level)));
        TestBuffers buffers;
        golden.context.simd = simd;
        golden.context.buffers = &buffers;
        expect_same_at_every_split(golden.context, as_bytes(golden.stream), golden.events);
        const ReaderRun whole = run_reader(golden.context, as_bytes(golden.stream), {});
        EXPECT_EQ(whole.is_unfinished, golden.is_unfinished);
        if (::testing::Test::HasFatalFailure()) return;
      }
      ++replayed;
    }
  }
  EXPECT_GE(replayed, 60u) << "golden files are missing";
}

}  // namespace
}  // namespace sluice::test
