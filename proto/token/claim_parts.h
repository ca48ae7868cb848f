// Parts that a connection token has in common with the answer of an application server that is
// asked about a connection: raw JSON with or without Base64, channels with what holds there.
//
// All answer false if something has another type than it should; some leave that in `fields`, which
// the caller asks at the end.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "proto/json/fields.h"
#include "proto/json/scan.h"
#include "proto/token/claims.h"

namespace sluice::token {

// The members of one object, found by their names in one scan.
template <std::size_t N>
bool find(std::string_view object, const std::array<std::string_view, N>& names,
          std::array<json::Member, N>& members) noexcept {
  return json::scan(object, names, members).has_value();
}

// An object in UTF-8, as far as its first character tells.
bool is_object_in_utf8(std::string_view text);

// Raw JSON, which an encoded form of it overrides.
bool read_json(json::Fields& fields, const json::Member& plain, const json::Member& base64,
               std::string& value);

bool read_overrides(json::Fields& fields, const json::Member& member,
                    centrifuge::Overrides& overrides);

// A list of strings, as `channels` is.
bool read_strings(json::Fields& fields, const json::Member& member,
                  std::vector<std::string_view>& strings);

// The channels of the map `subs`, or if that has none, of the list `channels`.
bool read_channels(json::Fields& fields, const json::Member& subs, const json::Member& channels,
                   std::vector<ChannelGrant>& grants);

}  // namespace sluice::token
