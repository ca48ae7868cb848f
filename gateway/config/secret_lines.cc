#include "gateway/config/secret_lines.h"

#include "gateway/config/file.h"

namespace sluice {
namespace {

// Blanks at either end are no part of a secret: editors and shells leave them there.
std::string_view trimmed(std::string_view line) noexcept {
  constexpr std::string_view kBlanks = " \t\r";
  const std::size_t begin = line.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return line.substr(begin, line.find_last_not_of(kBlanks) + 1 - begin);
}

}  // namespace

Result<std::vector<std::string>, std::string> read_secret_lines(
    std::string_view option, std::span<const std::string> paths) {
  std::vector<std::string> secrets;
  for (const std::string& path : paths) {
    const auto text = read_file(path);
    if (!text) {
      return fail(std::string(option) + ": cannot read '" + path + "': " + text.error().message());
    }
    const std::size_t before = secrets.size();
    std::string_view rest = *text;
    while (!rest.empty()) {
      const std::size_t end = rest.find('\n');
      const std::string_view secret = trimmed(rest.substr(0, end));
      if (!secret.empty()) secrets.emplace_back(secret);
      rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    }
    if (secrets.size() == before) {
      return fail(std::string(option) + ": there is no key in '" + path + "': write one a line");
    }
  }
  return secrets;
}

}  // namespace sluice
