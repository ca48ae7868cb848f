#include "gateway/api/api_desk.h"

#include <utility>

#include "gateway/config/file.h"
#include "gateway/config/limits.h"

namespace sluice {
namespace {

constexpr Duration kSecond = std::chrono::seconds(1);

api::Limits limits_of(const ApiSettings& settings) noexcept {
  api::Limits limits;
  limits.broadcast_channels = limits.batch_commands = settings.max_batch;
  return limits;
}

// Blanks at either end are no part of a key: editors and shells leave them there.
std::string_view trimmed(std::string_view line) noexcept {
  constexpr std::string_view kBlanks = " \t\r";
  const std::size_t begin = line.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return line.substr(begin, line.find_last_not_of(kBlanks) + 1 - begin);
}

}  // namespace

Result<std::vector<std::string>, std::string> read_api_keys(const ApiSettings& settings) {
  std::vector<std::string> keys;
  for (const std::string& path : settings.key_files) {
    const auto text = read_file(path);
    if (!text) {
      return fail("--api-key-file: cannot read '" + path + "': " + text.error().message());
    }
    const std::size_t before = keys.size();
    std::string_view rest = *text;
    while (!rest.empty()) {
      const std::size_t end = rest.find('\n');
      const std::string_view key = trimmed(rest.substr(0, end));
      if (!key.empty()) keys.emplace_back(key);
      rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    }
    if (keys.size() == before) {
      return fail("--api-key-file: there is no key in '" + path + "': write one a line");
    }
  }
  return keys;
}

Result<ApiDesk, std::string_view> ApiDesk::create(const ApiSettings& settings,
                                                  const std::vector<std::string>& keys,
                                                  std::size_t shards) {
  const std::vector<std::string_view> views(keys.begin(), keys.end());
  auto digests = api::Keys::create(views);
  if (!digests) return fail(digests.error());
  return ApiDesk(settings, std::move(*digests), shards);
}

ApiDesk::ApiDesk(const ApiSettings& settings, api::Keys keys, std::size_t shards)
    : settings_(settings),
      keys_(std::move(keys)),
      parser_(limits_of(settings)),
      rate_max_(share(settings.max_rate, shards)) {}

bool ApiDesk::admits(const http::Request& request) noexcept {
  return keys_.admits({request.find("X-API-Key"), request.find("Authorization"), request.query()});
}

bool ApiDesk::may_take(Time now) noexcept {
  if (rate_max_ == 0) return true;
  if (now - second_began_ >= kSecond) {
    second_began_ = now;
    taken_ = 0;
  }
  return ++taken_ <= rate_max_;
}

}  // namespace sluice
