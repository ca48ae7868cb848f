#include "proto/dialect/mid.h"

#include <array>
#include <charconv>

#include "proto/base64.h"
#include "proto/json/scan.h"

namespace sluice::dialect {
namespace {

constexpr std::array<std::string_view, 1> kNames = {"mid"};
constexpr std::string_view kSpace = " \t\r\n";

void append_number(std::string& out, std::uint64_t number) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), end);
}

void append_member(std::string& out, const Mid& mid) {
  out += R"("mid":")";
  append_mid(out, mid);
  out += '"';
}

// Takes a number from the front of `text`. Nothing unless to_chars would have written it.
std::optional<std::uint64_t> take_number(std::string_view& text) noexcept {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const auto size = static_cast<std::size_t>(end - text.data());
  if (error != std::errc() || (size > 1 && text[0] == '0')) return std::nullopt;
  text.remove_prefix(size);
  return number;
}

void append_wrapped(std::string& out, std::string_view message, const Mid& mid) {
  out += '{';
  append_member(out, mid);
  out += R"(,"data":)";
  out += message;
  out += '}';
}

}  // namespace

void append_mid(std::string& out, const Mid& mid) {
  append_number(out, mid.epoch);
  out += '-';
  append_number(out, mid.offset);
}

std::optional<Mid> parse_mid(std::string_view text) noexcept {
  const auto epoch = take_number(text);
  if (!epoch || !text.starts_with('-')) return std::nullopt;
  text.remove_prefix(1);
  const auto offset = take_number(text);
  if (!offset || !text.empty()) return std::nullopt;
  return Mid{*epoch, *offset};
}

void append_with_mid(std::string& out, std::string_view message, const Mid& mid) {
  std::array<json::Member, 1> members;
  const auto scanned = json::scan(message, kNames, members);
  if (!scanned && scanned.error() != json::Fault::kDuplicate) {
    return append_bytes_with_mid(out, as_bytes(message), mid);
  }
  const std::size_t begin = message.find_first_not_of(kSpace);
  if (!scanned || message[begin] != '{') return append_wrapped(out, message, mid);
  if (members[0].kind != json::Kind::kAbsent) {
    const std::string_view value = json::whole(members[0]);
    const auto at = static_cast<std::size_t>(value.data() - message.data());
    out += message.substr(0, at);
    out += '"';
    append_mid(out, mid);
    out += '"';
    out += message.substr(at + value.size());
    return;
  }
  const std::size_t end = message.rfind('}');
  const bool is_empty = message.find_first_not_of(kSpace, begin + 1) == end;
  out += message.substr(0, end);
  if (!is_empty) out += ',';
  append_member(out, mid);
  out += message.substr(end);
}

void append_bytes_with_mid(std::string& out, ConstBytes message, const Mid& mid) {
  out += '{';
  append_member(out, mid);
  out += R"(,"b64data":")";
  base64::append(out, message);
  out += "\"}";
}

}  // namespace sluice::dialect
