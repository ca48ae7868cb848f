#include "proto/token/claim_parts.h"

#include <optional>

#include "core/base/bytes.h"
#include "proto/base64.h"
#include "proto/ws/utf8.h"

namespace sluice::token {
namespace {

using json::Fields;
using json::Member;

bool is_json(std::string_view bytes) {
  return ws::is_valid_utf8(as_bytes(bytes)) && json::scan(bytes, {}, {}).has_value();
}

// {"value":true}, where proto3 leaves a false out.
bool read_override(Fields& fields, const Member& member, std::optional<bool>& value) {
  static constexpr std::array<std::string_view, 1> kNames = {"value"};
  std::array<Member, kNames.size()> members;
  std::string_view object;
  fields.object(member, object);
  if (object.empty()) return true;
  if (!find(object, kNames, members)) return false;
  fields.boolean(members[0], value.emplace(false));
  return true;
}

bool read_grant(Fields& fields, const Member& options, ChannelGrant& grant) {
  static constexpr std::array<std::string_view, 5> kNames = {"info", "b64info", "data", "b64data",
                                                             "override"};
  std::array<Member, kNames.size()> members;
  std::string_view object;
  fields.object(options, object);
  if (object.empty()) return true;
  return find(object, kNames, members) && read_json(fields, members[0], members[1], grant.info) &&
         read_json(fields, members[2], members[3], grant.data) &&
         read_overrides(fields, members[4], grant.overrides);
}

// The map `subs`.
bool read_grants(Fields& fields, const Member& subs, std::vector<ChannelGrant>& grants) {
  std::string_view object;
  fields.object(subs, object);
  if (object.empty()) return true;
  json::Walk walk(object);
  Member name;
  for (Member options; walk.next(name, options);) {
    std::string_view channel;
    fields.text(name, channel);
    ChannelGrant& grant = grants.emplace_back();
    grant.channel = channel;
    if (!read_grant(fields, options, grant)) return false;
  }
  return true;
}

}  // namespace

bool is_object_in_utf8(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && text[first] == '{' && ws::is_valid_utf8(as_bytes(text));
}

bool read_json(Fields& fields, const Member& plain, const Member& base64, std::string& value) {
  std::string_view raw;
  std::string_view encoded;
  fields.raw(plain, raw);
  fields.text(base64, encoded);
  if (encoded.empty()) {
    value = raw;
    return true;
  }
  return base64::decode(base64::Alphabet::kStandard, encoded, value) && is_json(value);
}

bool read_overrides(Fields& fields, const Member& member, centrifuge::Overrides& overrides) {
  static constexpr std::array<std::string_view, 3> kNames = {"presence", "join_leave",
                                                             "force_push_join_leave"};
  std::array<Member, kNames.size()> members;
  std::string_view object;
  fields.object(member, object);
  if (object.empty()) return true;
  return find(object, kNames, members) && read_override(fields, members[0], overrides.presence) &&
         read_override(fields, members[1], overrides.join_leave) &&
         read_override(fields, members[2], overrides.force_push_join_leave);
}

bool read_strings(Fields& fields, const Member& member, std::vector<std::string_view>& strings) {
  if (json::is_default(member)) return true;
  if (!json::is_array(member)) return false;
  json::Walk walk(member.raw);
  for (Member element; walk.next(element);) {
    if (element.kind != json::Kind::kString) return false;
    fields.text(element, strings.emplace_back());
  }
  return true;
}

bool read_channels(Fields& fields, const Member& subs, const Member& channels,
                   std::vector<ChannelGrant>& grants) {
  std::vector<std::string_view> names;
  if (!read_grants(fields, subs, grants) || !read_strings(fields, channels, names)) return false;
  if (!grants.empty()) return true;
  for (const std::string_view name : names) grants.emplace_back().channel = name;
  return true;
}

}  // namespace sluice::token
