// One shard's part in the server API: who may use it, and how much.
//
// Requests come to whatever shard has the connection; the work is done by the homes of channels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "gateway/api/api_settings.h"
#include "proto/api/key.h"
#include "proto/api/method.h"
#include "proto/api/request.h"
#include "proto/http/request.h"

namespace sluice {

inline constexpr std::string_view kApiPrefix = "/api/";
// Where commands come in lines.
inline constexpr std::string_view kApiLines = "/api";

// The keys in the files that the settings name, one a line. The error is one line with the remedy.
Result<std::vector<std::string>, std::string> read_api_keys(const ApiSettings& settings);

// Owned by a Shard, on its thread.
class ApiDesk {
 public:
  // The error: this machine's OpenSSL lacks what is needed.
  static Result<ApiDesk, std::string_view> create(const ApiSettings& settings,
                                                  const std::vector<std::string>& keys,
                                                  std::size_t shards);

  bool admits(const http::Request& request) noexcept;
  // False: too many requests in this second.
  bool may_take(Time now) noexcept;
  api::RequestParser& parser() noexcept { return parser_; }
  const ApiSettings& settings() const noexcept { return settings_; }

 private:
  ApiDesk(const ApiSettings& settings, api::Keys keys, std::size_t shards);

  const ApiSettings& settings_;
  api::Keys keys_;
  api::RequestParser parser_;
  const std::size_t rate_max_;  // of this shard; 0: any
  std::size_t taken_ = 0;       // in the second that began then
  Time second_began_{};
};

}  // namespace sluice
