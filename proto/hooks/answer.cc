#include "proto/hooks/answer.h"

#include <algorithm>
#include <array>

#include "proto/identity.h"
#include "proto/token/claim_parts.h"

namespace sluice::hooks {
namespace {

using json::Fields;
using json::Member;
using token::find;

constexpr std::size_t kKeyBytesMax = 256;

// Null is absent, unlike in a token.
bool read_json(Fields& fields, Member plain, const Member& base64, std::string& value) {
  if (json::is_null(plain)) plain = {};
  return token::read_json(fields, plain, base64, value);
}

bool read_text(Fields& fields, const Member& member, std::size_t bytes_max, std::string& value) {
  std::string_view text;
  fields.text(member, text);
  value = text;
  return text.size() <= bytes_max;
}

bool read_moment(Fields& fields, const Member& member, std::int64_t& value) {
  fields.integer(member, value);
  value = std::max<std::int64_t>(value, 0);
  return fields.is_ok();
}

bool read(Fields& fields, std::string_view object, Error& error) {
  static constexpr std::array<std::string_view, 3> kNames = {"code", "message", "temporary"};
  std::array<Member, kNames.size()> members;
  if (!find(object, kNames, members)) return false;
  fields.integer(members[0], error.code);
  fields.boolean(members[2], error.is_temporary);
  return read_text(fields, members[1], kMessageBytesMax, error.message) && error.code >= 100 &&
         error.code <= 1999;
}

bool read(Fields& fields, std::string_view object, Disconnect& disconnect) {
  static constexpr std::array<std::string_view, 2> kNames = {"code", "reason"};
  std::array<Member, kNames.size()> members;
  if (!find(object, kNames, members)) return false;
  fields.integer(members[0], disconnect.code);
  return read_text(fields, members[1], kReasonBytesMax, disconnect.reason) &&
         disconnect.code >= 3000 && disconnect.code <= 4999;
}

bool read(Fields& fields, std::string_view object, ConnectResult& result) {
  static constexpr std::array<std::string_view, 8> kNames = {
      "user", "expire_at", "info", "b64info", "data", "b64data", "subs", "channels"};
  std::array<Member, kNames.size()> members;
  return find(object, kNames, members) &&
         read_text(fields, members[0], kUserTextBytesMax, result.claims.user) &&
         read_moment(fields, members[1], result.claims.expires_at) &&
         read_json(fields, members[2], members[3], result.claims.info) &&
         read_json(fields, members[4], members[5], result.data) &&
         token::read_channels(fields, members[6], members[7], result.claims.channels);
}

bool read(Fields& fields, std::string_view object, SubscribeResult& result) {
  static constexpr std::array<std::string_view, 6> kNames = {"expire_at", "info",    "b64info",
                                                             "data",      "b64data", "override"};
  std::array<Member, kNames.size()> members;
  return find(object, kNames, members) && read_moment(fields, members[0], result.expires_at) &&
         read_json(fields, members[1], members[2], result.info) &&
         read_json(fields, members[3], members[4], result.data) &&
         token::read_overrides(fields, members[5], result.overrides);
}

bool read_tags(Fields& fields, const Member& member, std::string& tags) {
  std::string_view object;
  fields.object(member, object);
  if (object.empty()) return true;
  json::Walk walk(object);
  Member name;
  for (Member value; walk.next(name, value);) {
    if (value.kind != json::Kind::kString) return false;
  }
  tags = object;
  return true;
}

bool read(Fields& fields, std::string_view object, PublishResult& result) {
  static constexpr std::array<std::string_view, 5> kNames = {"data", "b64data", "tags",
                                                             "idempotency_key", "skip_history"};
  std::array<Member, kNames.size()> members;
  if (!find(object, kNames, members)) return false;
  fields.boolean(members[4], result.skip_history);
  return read_json(fields, members[0], members[1], result.data) &&
         read_tags(fields, members[2], result.tags) &&
         read_text(fields, members[3], kKeyBytesMax, result.idempotency_key);
}

// Puts what the member says into the answer. False: it does not say it.
template <class Part, class Answered>
bool take(Fields& fields, const Member& member, std::optional<Answer<Answered>>& answer) {
  std::string_view object;
  fields.object(member, object);
  if (object.empty() || !fields.is_ok()) return false;
  Part part;
  if (read(fields, object, part) && fields.is_ok()) answer = std::move(part);
  return true;
}

template <class Answered>
std::optional<Answer<Answered>> read_answer(ConstBytes body) {
  static constexpr std::array<std::string_view, 3> kNames = {"disconnect", "error", "result"};
  std::array<Member, kNames.size()> members;
  const std::string_view text = as_text(body);
  Fields fields;
  fields.reset(text.size());
  std::optional<Answer<Answered>> answer;
  if (!token::is_object_in_utf8(text) || !find(text, kNames, members)) return answer;
  if (!take<Disconnect>(fields, members[0], answer) && !take<Error>(fields, members[1], answer)) {
    take<Answered>(fields, members[2], answer);
  }
  return answer;
}

}  // namespace

std::optional<Answer<ConnectResult>> read_connect_answer(ConstBytes body) {
  return read_answer<ConnectResult>(body);
}
std::optional<Answer<SubscribeResult>> read_subscribe_answer(ConstBytes body) {
  return read_answer<SubscribeResult>(body);
}
std::optional<Answer<PublishResult>> read_publish_answer(ConstBytes body) {
  return read_answer<PublishResult>(body);
}

}  // namespace sluice::hooks
