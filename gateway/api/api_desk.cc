#include "gateway/api/api_desk.h"

#include <utility>

#include "gateway/config/limits.h"
#include "gateway/config/secret_lines.h"

namespace sluice {
namespace {

constexpr Duration kSecond = std::chrono::seconds(1);

api::Limits limits_of(const ApiSettings& settings) noexcept {
  api::Limits limits;
  limits.broadcast_channels = limits.batch_commands = settings.max_batch;
  return limits;
}

}  // namespace

Result<std::vector<std::string>, std::string> read_api_keys(const ApiSettings& settings) {
  return read_secret_lines("--api-key-file", settings.key_files);
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
