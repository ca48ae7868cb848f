// Patterns of channel names, in which `*` stands for any text.
#pragma once

#include <string_view>

namespace sluice {

// Whether all of `text` is what `pattern` says. Time is bounded by the product of the lengths.
constexpr bool matches(std::string_view pattern, std::string_view text) noexcept {
  std::size_t at = 0;
  std::size_t from = 0;
  std::size_t star = std::string_view::npos;  // the last one seen, and what it stood for
  std::size_t taken = 0;
  while (from < text.size()) {
    if (at < pattern.size() && pattern[at] == '*') {
      star = at++;
      taken = from;
    } else if (at < pattern.size() && pattern[at] == text[from]) {
      ++at;
      ++from;
    } else if (star != std::string_view::npos) {
      at = star + 1;
      from = ++taken;
    } else {
      return false;
    }
  }
  while (at < pattern.size() && pattern[at] == '*') ++at;
  return at == pattern.size();
}

}  // namespace sluice
