// Request heads: the answer depends neither on how the bytes were cut nor on the instructions used,
// and what is accepted has the parts that it says it has.
#include <fmt/format.h>

#include <string>

#include "core/base/check.h"
#include "proto/http/request_parser.h"
#include "tests/fuzz/fuzz_target.h"

namespace sluice::fuzz {
namespace {

using http::Progress;
using http::RequestParser;

// Everything that a caller can see, as text.
std::string answer(const http::Request& request, std::size_t head_size) {
  std::string out =
      fmt::format("{} {} {} {} {} host={} minor={} keep={} body={}", head_size, request.method(),
                  request.target(), request.path(), request.query(), request.host(),
                  request.minor_version(), request.keep_alive(), request.content_length());
  for (std::size_t i = 0; i < request.field_count(); ++i) {
    out += fmt::format("\n{}: {}", request.field_name(i), request.field_value(i));
  }
  return out;
}

std::string parse(const Simd& simd, ConstBytes head, const std::vector<std::size_t>& cuts) {
  RequestParser parser(simd, {.max_head = 2048, .max_body = 65536});
  for (std::size_t i = 0; i <= cuts.size(); ++i) {
    const std::size_t size = i < cuts.size() ? cuts[i] : head.size();
    const ExactCopy received(head.first(size));
    const auto progress = parser.parse(received.bytes());
    if (!progress) return std::string(http::describe(progress.error()).label);
    if (*progress == Progress::kComplete) return answer(parser.request(), parser.head_size());
    SLUICE_CHECK(size <= 2048 + 2);
  }
  return parser.is_idle() ? "idle" : "more";
}

void check_accepted(ConstBytes head) {
  RequestParser parser(Simd::of(SimdLevel::kScalar), {.max_head = 2048, .max_body = 65536});
  const auto progress = parser.parse(head);
  if (!progress || *progress != Progress::kComplete) return;
  const http::Request& request = parser.request();
  SLUICE_CHECK(parser.head_size() <= head.size() && parser.head_size() <= 2048);
  SLUICE_CHECK(request.content_length() <= 65536);
  SLUICE_CHECK(request.field_count() <= http::kFieldsMax);
  SLUICE_CHECK(as_text(head).substr(0, parser.head_size()).ends_with("\r\n\r\n"));
  SLUICE_CHECK(request.minor_version() == 0 || request.count("host") == 1);
  SLUICE_CHECK(request.count("transfer-encoding") == 0 && request.count("content-length") <= 1);
  for (std::size_t i = 0; i < request.field_count(); ++i) {
    const std::string_view name = request.field_name(i);
    const std::string_view value = request.field_value(i);
    SLUICE_CHECK(!name.empty() && name.find_first_of(": \t\r\n") == std::string_view::npos);
    SLUICE_CHECK(value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos);
    SLUICE_CHECK(request.find(name).has_value() && request.count(name) >= 1);
    request.has_element(name, value);
  }
}

}  // namespace

void http_request(ConstBytes input) {
  Choices choices(input);
  const std::size_t cut_count = choices.below(8);
  const std::size_t size_hint = choices.below(256);
  const std::vector<std::size_t> hints = draw_cuts(choices, cut_count, size_hint + 64);
  const ConstBytes head = choices.rest();
  std::vector<std::size_t> cuts;
  for (const std::size_t hint : hints) {
    if (hint <= head.size()) cuts.push_back(hint);
  }
  const std::string whole = parse(Simd::of(SimdLevel::kScalar), head, {});
  SLUICE_CHECK(parse(Simd::detect(), head, {}) == whole);
  SLUICE_CHECK(parse(Simd::detect(), head, cuts) == whole);
  SLUICE_CHECK(parse(Simd::of(SimdLevel::kScalar), head, cuts) == whole);
  check_accepted(head);
}

}  // namespace sluice::fuzz
