#include "proto/http/request_parser.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "core/base/random.h"

namespace sluice::test {
namespace {

using http::Progress;
using http::Request;
using http::RequestParser;

// The outcome of a head as text, so that splits can be compared: its parts, or its error.
std::string to_text(const RequestParser& parser) {
  const Request& request = parser.request();
  std::string out;
  const auto add = [&out](std::string_view part) { out.append(part) += '|'; };
  add(request.method());
  add(request.path());
  add(request.query());
  add(request.host());
  add(std::to_string(request.minor_version()));
  add(request.keep_alive() ? "stays" : "closes");
  add(std::to_string(request.content_length()));
  add(std::to_string(parser.head_size()));
  for (std::size_t i = 0; i < request.field_count(); ++i) {
    add(request.field_name(i));
    add(request.field_value(i));
  }
  return out;
}

// Gives the parser what has come after each step of `sizes`, in memory that moves every time.
std::string parse_in_steps(const Simd& simd, std::string_view text,
                           const std::vector<std::size_t>& sizes) {
  RequestParser parser(simd);
  for (const std::size_t size : sizes) {
    const std::vector<char> memory(text.begin(), text.begin() + static_cast<long>(size));
    const auto progress = parser.parse(as_bytes({memory.data(), memory.size()}));
    if (!progress) return std::string("error ").append(http::describe(progress.error()).label);
    if (*progress == Progress::kComplete) return to_text(parser);
  }
  return "more";
}

std::string parse(std::string_view text) {
  return parse_in_steps(Simd::detect(), text, {text.size()});
}

// The head at every split and byte by byte, on every level of instructions.
std::string parse_every_way(std::string_view text) {
  const std::string whole = parse(text);
  std::vector<std::size_t> every;
  for (std::size_t size = 0; size <= text.size(); ++size) every.push_back(size);
  for (const SimdLevel level : {SimdLevel::kScalar, SimdLevel::kSse2, SimdLevel::kAvx2}) {
    if (!Simd::supports(level)) continue;
    const Simd simd = Simd::of(level);
    EXPECT_EQ(parse_in_steps(simd, text, every), whole) << "byte by byte";
    for (const std::size_t cut : every) {
      EXPECT_EQ(parse_in_steps(simd, text, {cut, text.size()}), whole) << "cut at " << cut;
    }
  }
  return whole;
}

constexpr std::string_view kBrowser =
    "GET /chat?token=a%20b HTTP/1.1\r\n"
    "Host: 127.0.0.1:9999\r\n"
    "Connection: Upgrade\r\n"
    "User-Agent:\t Mozilla/5.0 (X11; Linux x86_64) \r\n"
    "Empty:\r\n"
    "x-utf8: \xc3\xa4\r\n"
    "Upgrade: websocket\r\n"
    "\r\n";

TEST(RequestParser, ReadsABrowsersRequestAtEverySplit) {
  EXPECT_EQ(
      parse_every_way(kBrowser),
      "GET|/chat|token=a%20b|127.0.0.1:9999|1|stays|0|" + std::to_string(kBrowser.size()) +
          "|Host|127.0.0.1:9999|Connection|Upgrade|User-Agent|Mozilla/5.0 (X11; Linux x86_64)|"
          "Empty||x-utf8|\xc3\xa4|Upgrade|websocket|");
}

struct HeadCase {
  const char* name;
  std::string head;
  std::string expected;
};

std::string get(std::string_view fields) {
  return std::string("GET / HTTP/1.1\r\nHost: h\r\n").append(fields).append("\r\n");
}

class RequestHead : public ::testing::TestWithParam<HeadCase> {};

TEST_P(RequestHead, IsJudgedTheSameAtEverySplit) {
  const HeadCase& head = GetParam();
  EXPECT_EQ(parse_every_way(head.head).substr(0, head.expected.size()), head.expected);
}

std::string case_name(const ::testing::TestParamInfo<HeadCase>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(
    Refused, RequestHead,
    ::testing::ValuesIn(std::vector<HeadCase>{
        // RFC 9112 3: the request line
        {"NoMethod", " / HTTP/1.1\r\nHost: h\r\n\r\n", "error bad_request_line"},
        {"MethodIsNoToken", "G(T / HTTP/1.1\r\n", "error bad_request_line"},
        {"NoTarget", "GET  HTTP/1.1\r\n", "error bad_request_line"},
        {"TwoBlanks", "GET  / HTTP/1.1\r\n", "error bad_request_line"},
        {"NoVersion", "GET /\r\n", "error bad_request_line"},
        {"BlankInTarget", "GET /a b HTTP/1.1\r\n", "error bad_version"},
        {"TabBehindMethod", "GET\t/ HTTP/1.1\r\n", "error bad_request_line"},
        {"ControlInTarget", std::string("GET /\x01 HTTP/1.1\r\n"), "error bad_request_line"},
        {"HighByteInTarget", "GET /\xc3\xa4 HTTP/1.1\r\n", "error bad_request_line"},
        {"LowerCaseVersion", "GET / http/1.1\r\n", "error bad_version"},
        {"VersionTooLong", "GET / HTTP/1.10\r\n", "error bad_version"},
        {"VersionIsCut", "GET / HTTP/1\r\n", "error bad_version"},
        {"BlankBehindVersion", "GET / HTTP/1.1 \r\n", "error bad_version"},
        {"Http2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "error unsupported_version"},
        {"Http0", "GET / HTTP/0.9\r\n", "error unsupported_version"},
        {"TlsHello", std::string("\x16\x03\x01\x02\x00", 5), "error bad_request_line"},
        // RFC 9112 3.2: the target
        {"Fragment", "GET /#a HTTP/1.1\r\nHost: h\r\n\r\n", "error bad_target"},
        {"TargetWithoutSlash", "GET index HTTP/1.1\r\nHost: h\r\n\r\n", "error bad_target"},
        {"AsteriskWithGet", "GET * HTTP/1.1\r\nHost: h\r\n\r\n", "error bad_target"},
        {"AbsoluteWithoutHost", "GET http:///a HTTP/1.1\r\nHost: h\r\n\r\n", "error bad_target"},
        {"AbsoluteWithUser", "GET http://u@h/ HTTP/1.1\r\nHost: h\r\n\r\n", "error bad_target"},
        // RFC 9112 2.2: line ends
        {"BareLfInRequestLine", "GET / HTTP/1.1\nHost: h\n\n", "error bad_line_end"},
        {"BareLfInField", "GET / HTTP/1.1\r\nHost: h\n\r\n", "error bad_line_end"},
        {"BareLfAtTheEnd", "GET / HTTP/1.1\r\nHost: h\r\n\n", "error bad_line_end"},
        {"BareCrInRequestLine", "GET / HTTP/1.1\r \n", "error bad_line_end"},
        {"BareCrInValue", "GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n", "error bad_line_end"},
        {"BareCrAtTheEnd", "GET / HTTP/1.1\r\nHost: h\r\n\rX", "error bad_line_end"},
        {"BareCrFirst", "\rGET / HTTP/1.1\r\n", "error bad_line_end"},
        // RFC 9112 5: fields
        {"BlankBeforeColon", get("a : b\r\n"), "error bad_field_name"},
        {"NoColon", get("abc\r\n"), "error bad_field_name"},
        {"NoName", get(": b\r\n"), "error bad_field_name"},
        {"NulInName", get(std::string("a\0b: c\r\n", 8)), "error bad_field_name"},
        {"NulInValue", get(std::string("a: b\0c\r\n", 8)), "error bad_field_value"},
        {"ControlInValue", get("a: b\x01\r\n"), "error bad_field_value"},
        {"DelInValue", get("a: b\x7f\r\n"), "error bad_field_value"},
        {"Folded", get("a: b\r\n c\r\n"), "error folded_field"},
        {"FoldedByTab", get("a: b\r\n\tc\r\n"), "error folded_field"},
        {"BlankBeforeFirstField", "GET / HTTP/1.1\r\n Host: h\r\n\r\n", "error folded_field"},
        // RFC 9112 3.2: Host
        {"NoHost", "GET / HTTP/1.1\r\n\r\n", "error missing_host"},
        {"TwoHosts", get("hOST: h\r\n"), "error duplicate_host"},
        {"HostWithPath", "GET / HTTP/1.1\r\nHost: h/a\r\n\r\n", "error bad_host"},
        {"HostList", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "error bad_host"},
        {"HostWithUser", "GET / HTTP/1.1\r\nHost: u@h\r\n\r\n", "error bad_host"},
        // RFC 9112 6: framing
        {"TwoLengths", get("Content-Length: 1\r\nContent-Length: 1\r\n"),
         "error bad_content_length"},
        {"LengthList", get("Content-Length: 1, 1\r\n"), "error bad_content_length"},
        {"LengthSigned", get("Content-Length: +1\r\n"), "error bad_content_length"},
        {"LengthHex", get("Content-Length: 0x1\r\n"), "error bad_content_length"},
        {"LengthEmpty", get("Content-Length:\r\n"), "error bad_content_length"},
        {"LengthHuge", get("Content-Length: 99999999999999999999\r\n"), "error bad_content_length"},
        {"LengthBeyondLimit", get("Content-Length: 65537\r\n"), "error body_too_big"},
        {"Chunked", get("Transfer-Encoding: chunked\r\n"), "error length_required"},
        {"ChunkedInAnyCase", get("Transfer-Encoding: , CHUNKED\r\n"), "error length_required"},
        {"ChunkedBehindAnother", get("Transfer-Encoding: gzip, chunked\r\n"),
         "error transfer_encoding"},
        {"ChunkedInAnotherField", get("Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n"),
         "error transfer_encoding"},
        {"ChunkedIsNotLast", get("Transfer-Encoding: chunked, gzip\r\n"),
         "error bad_transfer_encoding"},
        {"ChunkedTwice", get("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
         "error bad_transfer_encoding"},
        {"NotChunked", get("Transfer-Encoding: gzip\r\n"), "error bad_transfer_encoding"},
        {"Xchunked", get("Transfer-Encoding: xchunked\r\n"), "error bad_transfer_encoding"},
        {"EncodingOfNothing", get("Transfer-Encoding:\r\n"), "error bad_transfer_encoding"},
        {"ChunkedAndLength", get("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"),
         "error conflicting_framing"},
        {"ChunkedIn10", "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
         "error conflicting_framing"},
    }),
    case_name);

INSTANTIATE_TEST_SUITE_P(
    Accepted, RequestHead,
    ::testing::ValuesIn(std::vector<HeadCase>{
        {"Simplest", "GET / HTTP/1.1\r\nHost: h\r\n\r\n", "GET|/||h|1|stays|0|27|Host|h|"},
        {"EmptyLineBefore", "\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", "GET|/||h|1|stays|0|29|"},
        {"EmptyHost", "GET / HTTP/1.1\r\nHost:\r\n\r\n", "GET|/|||1|stays|0|"},
        {"Ipv6Host", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", "GET|/||[::1]:80|1|stays|0|"},
        {"Http10", "GET / HTTP/1.0\r\n\r\n", "GET|/|||0|closes|0|"},
        {"Http10ThatStays", "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", "GET|/|||0|stays|"},
        {"HigherMinor", "GET / HTTP/1.2\r\nHost: h\r\n\r\n", "GET|/||h|1|stays|0|"},
        {"Closes", get("Connection: x, CLOSE\r\n"), "GET|/||h|1|closes|0|"},
        {"CloseWinsOverKeepAlive", get("Connection: close\r\nConnection: keep-alive\r\n"),
         "GET|/||h|1|closes|0|"},
        {"Length", get("Content-Length: 12\r\n"), "GET|/||h|1|stays|12|"},
        {"LengthAtLimit", get("Content-Length: 65536\r\n"), "GET|/||h|1|stays|65536|"},
        {"AnyMethod", "DELETE /x HTTP/1.1\r\nHost: h\r\n\r\n", "DELETE|/x||h|1|"},
        {"QueryOfQuestionMarks", "GET /a?b?c HTTP/1.1\r\nHost: h\r\n\r\n", "GET|/a|b?c|h|1|"},
        {"EmptyQuery", "GET /a? HTTP/1.1\r\nHost: h\r\n\r\n", "GET|/a||h|1|"},
        {"AbsoluteForm", "GET http://other:8/a?b HTTP/1.1\r\nHost: h\r\n\r\n",
         "GET|/a|b|other:8|1|"},
        {"AbsoluteWithoutPath", "GET http://other?b HTTP/1.1\r\nHost: h\r\n\r\n",
         "GET|/|b|other|1|"},
        {"Asterisk", "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", "OPTIONS|*||h|1|"},
        {"Connect", "CONNECT a:443 HTTP/1.1\r\nHost: h\r\n\r\n", "CONNECT|||a:443|1|"},
        {"BlanksAroundValue", get("a: \t b c \t \r\n"), "GET|/||h|1|stays|0|40|Host|h|a|b c|"},
        {"OnlyBlanksAsValue", get("a: \t \r\n"), "GET|/||h|1|stays|0|34|Host|h|a||"},
        {"MoreAfterTheHead", get("") + "GET /next", "GET|/||h|1|stays|0|27|"},
        {"NotYetComplete", "GET / HTTP/1.1\r\nHost: h\r\n", "more"},
        {"Nothing", "", "more"},
    }),
    case_name);

TEST(RequestParser, TakesAHundredFieldsAndNoMore) {
  std::string fields;
  for (int i = 1; i < 100; ++i) fields += "a: b\r\n";
  EXPECT_EQ(parse(get(fields)).substr(0, 4), "GET|");
  EXPECT_EQ(parse(get(fields + "a: b\r\n")), "error too_many_fields");
}

TEST(RequestParser, TakesAHeadOfTheLimitAndNoMore) {
  const std::size_t rest = http::kHeadMax - get("a: \r\n").size();
  EXPECT_EQ(parse(get("a: " + std::string(rest, 'x') + "\r\n")).substr(0, 4), "GET|");
  EXPECT_EQ(parse(get("a: " + std::string(rest + 1, 'x') + "\r\n")), "error head_too_big");
  EXPECT_EQ(parse("GET / HTTP/1.1\r\na: " + std::string(20'000, 'x')), "error head_too_big");
}

TEST(RequestParser, RefusesALongRequestLineWithItsOwnStatus) {
  const std::string prefix = "GET /";
  const std::string suffix = " HTTP/1.1\r\nHost: h\r\n\r\n";
  const std::size_t fits =
      http::kRequestLineMax - prefix.size() - std::string(" HTTP/1.1\r").size();
  EXPECT_EQ(parse(prefix + std::string(fits, 'a') + suffix).substr(0, 4), "GET|");
  EXPECT_EQ(parse(prefix + std::string(fits + 1, 'a') + suffix), "error request_line_too_long");
  EXPECT_EQ(parse(std::string(9000, 'A')), "error request_line_too_long");
}

TEST(RequestParser, EmptyLinesWithoutEndAreRefused) {
  std::string lines;
  for (int i = 0; i < 10'000; ++i) lines += "\r\n";
  EXPECT_EQ(parse(lines), "error head_too_big");
}

// Scans that count the bytes they are given; a plain function needs a place to count in.
std::size_t scanned_bytes = 0;

std::size_t counting_value(const char* data, std::size_t size) noexcept {
  scanned_bytes += size;
  return Simd::of(SimdLevel::kScalar).scan_value(data, size);
}
std::size_t counting_token(const char* data, std::size_t size) noexcept {
  scanned_bytes += size;
  return Simd::of(SimdLevel::kScalar).scan_token(data, size);
}

TEST(RequestParser, LooksAtEachByteOnceWhenTheyComeOneByOne) {
  Simd simd = Simd::of(SimdLevel::kScalar);
  simd.scan_value = counting_value;
  simd.scan_token = counting_token;
  scanned_bytes = 0;
  const std::string head = get(std::string(4000, 'n') + ": " + std::string(8000, 'v') + "\r\n");
  std::vector<std::size_t> every;
  for (std::size_t size = 0; size <= head.size(); ++size) every.push_back(size);
  RequestParser parser(simd);
  for (std::size_t size = 0; size < head.size(); ++size) {
    ASSERT_EQ(parser.parse(as_bytes(head).first(size)), Progress::kNeedMore);
  }
  ASSERT_EQ(parser.parse(as_bytes(head)), Progress::kComplete);
  EXPECT_LE(scanned_bytes, head.size());
}

TEST(RequestParser, ReadsPipelinedRequestsOneAfterTheOther) {
  const std::string both = get("a: 1\r\n") + "HEAD /two HTTP/1.1\r\nHost: h2\r\n\r\n";
  RequestParser parser(Simd::detect());
  EXPECT_TRUE(parser.is_idle());
  ASSERT_EQ(parser.parse(as_bytes(both)), Progress::kComplete);
  EXPECT_FALSE(parser.is_idle());
  const std::size_t first = parser.head_size();
  parser.reset();
  EXPECT_TRUE(parser.is_idle());
  ASSERT_EQ(parser.parse(as_bytes(both).subspan(first)), Progress::kComplete);
  EXPECT_EQ(parser.request().method(), "HEAD");
  EXPECT_EQ(parser.request().field_count(), 1u);
  EXPECT_EQ(parser.request().host(), "h2");
  EXPECT_EQ(first + parser.head_size(), both.size());
}

TEST(RequestParser, DamagedHeadsGiveTheSameAnswerAtRandomSplits) {
  for (std::uint64_t seed = 1; seed <= 5000; ++seed) {
    Random random(seed);
    std::string head(kBrowser);
    for (std::uint64_t n = 1 + random.below(3); n > 0; --n) {
      static constexpr std::string_view kNasty = "\r\n\t :,/?\x7f\x80";
      head[random.below(head.size())] = random.chance(1, 2) ? kNasty[random.below(kNasty.size())]
                                                            : static_cast<char>(random.next());
    }
    std::vector<std::size_t> sizes;
    for (std::size_t at = 0; at < head.size(); at += 1 + random.below(40)) sizes.push_back(at);
    sizes.push_back(head.size());
    ASSERT_EQ(parse_in_steps(Simd::of(SimdLevel::kScalar), head, sizes), parse(head)) << seed;
  }
}

}  // namespace
}  // namespace sluice::test
