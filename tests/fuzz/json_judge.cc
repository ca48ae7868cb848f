#include "tests/fuzz/json_judge.h"

#include <array>
#include <cstddef>

#include "core/base/check.h"
#include "proto/json/scan.h"

namespace sluice::fuzz {
namespace {

class Judge {
 public:
  explicit Judge(std::string_view text) : text_(text) {}

  bool whole() {
    blanks();
    if (!value(0)) return false;
    blanks();
    return at_ == text_.size();
  }

 private:
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool eat(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool eat(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }
  void blanks() {
    while (at_ < text_.size() &&
           std::string_view(" \t\r\n").find(text_[at_]) != std::string_view::npos)
      ++at_;
  }
  static bool is_digit(char c) { return c >= '0' && c <= '9'; }
  static bool is_hex(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  }
  bool digits() {
    if (!is_digit(peek())) return false;
    while (is_digit(peek())) ++at_;
    return true;
  }
  bool number() {
    eat('-');
    if (!eat('0') && !digits()) return false;
    if (eat('.') && !digits()) return false;
    if (eat('e') || eat('E')) {
      if (!eat('+')) eat('-');
      return digits();
    }
    return true;
  }
  bool string() {
    if (!eat('"')) return false;
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c == '"') return true;
      if (static_cast<unsigned char>(c) < 0x20) return false;
      if (c == '\\' && !escape()) return false;
    }
    return false;
  }
  bool escape() {
    if (!eat('u')) {
      const bool is_known = at_ < text_.size() && std::string_view("\"\\/bfnrt").find(text_[at_]) !=
                                                      std::string_view::npos;
      ++at_;
      return is_known;
    }
    for (int i = 0; i < 4; ++i) {
      if (!is_hex(peek())) return false;
      ++at_;
    }
    return true;
  }
  bool list(char end, std::size_t depth, bool has_names) {
    ++at_;
    blanks();
    if (eat(end)) return true;
    do {
      blanks();
      if (has_names) {
        if (!string()) return false;
        blanks();
        if (!eat(':')) return false;
        blanks();
      }
      if (!value(depth)) return false;
      blanks();
    } while (eat(','));
    return eat(end);
  }
  bool value(std::size_t depth) {
    const char c = peek();
    if (c == '{' || c == '[') {
      return depth < json::kDepthMax && list(c == '{' ? '}' : ']', depth + 1, c == '{');
    }
    if (c == '"') return string();
    return eat("true") || eat("false") || eat("null") || number();
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

bool is_json(std::string_view text) { return Judge(text).whole(); }

void check_acceptance(std::string_view text, std::optional<dialect::ErrorCode> refused) {
  const bool is_good = is_json(text);
  if (!refused || *refused != dialect::ErrorCode::kBadJson) SLUICE_CHECK(is_good);
  if (!refused || *refused != dialect::ErrorCode::kBadJson || !is_good) return;
  // Refused as broken although it is not: then a member stands twice, and a scan for nothing
  // accepts the text.
  SLUICE_CHECK(json::scan(text, {}, {}).has_value());
}

}  // namespace sluice::fuzz
