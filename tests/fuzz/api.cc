// The server API: bodies of every method, what is made of them, and credentials.
#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "core/base/check.h"
#include "proto/api/answer.h"
#include "proto/api/key.h"
#include "proto/api/request.h"
#include "proto/ws/utf8.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/json_judge.h"

namespace sluice::fuzz {
namespace {

using api::Method;

constexpr api::Limits kLimits{.broadcast_channels = 4,
                              .batch_commands = 4,
                              .whitelist = 4,
                              .tags = 4,
                              .channel_bytes = 16,
                              .text_bytes = 16};

void check_text(std::string_view text, std::size_t bytes_max) {
  SLUICE_CHECK(text.size() <= bytes_max && ws::is_valid_utf8(as_bytes(text)));
}

void check_data(const api::Data& data, std::string_view body) {
  if (data.is_binary) {
    SLUICE_CHECK(!data.bytes.empty() && data.bytes.size() < body.size());
  } else if (!data.bytes.empty()) {
    SLUICE_CHECK(is_json(data.bytes) && body.find(data.bytes) != std::string_view::npos);
  }
}

void check_texts(std::span<const std::string_view> texts) {
  SLUICE_CHECK(texts.size() <= 4);
  for (const auto text : texts) {
    SLUICE_CHECK(!text.empty());
    check_text(text, 16);
  }
}

// A message is good JSON wherever it is answered.
void check_message(const api::Message& message, std::string_view body) {
  SLUICE_CHECK(!message.data.bytes.empty() && message.tags.size() <= kLimits.tags);
  check_data(message.data, body);
  check_text(message.key, kLimits.text_bytes);
  check_text(message.idempotency_key, api::kIdempotencyKeyBytesMax);
  const std::array<api::Publication, 1> publications = {api::Publication{message.data, 1, {}, {}}};
  std::string answer;
  append_result(answer, api::Place::kBody,
                api::HistoryResult{publications, {1, message.idempotency_key}});
  // The judge counts levels, of which the answer has more than the request.
  const auto levels = std::count_if(message.data.bytes.begin(), message.data.bytes.end(),
                                    [](char c) { return c == '[' || c == '{'; });
  SLUICE_CHECK(levels > 500 || is_json(answer));
}

void check_position(const std::optional<api::Position>& position) {
  if (position) check_text(position->epoch, kLimits.text_bytes);
}

void check_user(const UserId& user) {
  UserId back;
  SLUICE_CHECK(back.restore(user.channel()) && back == user);
}

void check_selection(const api::Selection& who) {
  check_user(who.user);
  check_text(who.client, kLimits.text_bytes);
  check_text(who.session, kLimits.text_bytes);
}

void check(api::RequestParser& parser, Method method, std::string_view body);

// Every request is whole: the string members that must be there are, and within their bounds.
struct Checker {
  api::RequestParser& parser;
  std::string_view body;

  void operator()(const api::Publish& request) const {
    SLUICE_CHECK(request.channel.empty() != request.user.is_empty());
    if (request.channel.empty()) check_user(request.user);
    check_text(request.channel, kLimits.channel_bytes);
    check_message(request.message, body);
  }
  void operator()(const api::Broadcast& request) const {
    SLUICE_CHECK(!request.channels.empty());
    check_texts(request.channels);
    check_message(request.message, body);
  }
  void operator()(const api::Subscribe& request) const {
    check_selection(request.who);
    SLUICE_CHECK(!request.channel.empty());
    check_text(request.channel, kLimits.channel_bytes);
    check_data(request.info, body);
    check_data(request.data, body);
    check_position(request.recover_since);
  }
  void operator()(const api::Unsubscribe& request) const {
    check_selection(request.who);
    check_text(request.channel, kLimits.channel_bytes);
  }
  void operator()(const api::Disconnect& request) const {
    check_selection(request.who);
    check_texts(request.whitelist);
    SLUICE_CHECK(request.code >= 3000 && request.code <= 4999 && !request.reason.empty());
    check_text(request.reason, api::kReasonBytesMax);
  }
  void operator()(const api::Refresh& request) const {
    check_selection(request.who);
    check_data(request.info, body);
  }
  void operator()(const api::History& request) const {
    SLUICE_CHECK(!request.channel.empty());
    check_text(request.channel, kLimits.channel_bytes);
    check_position(request.since);
  }
  void operator()(const api::Channels& request) const {
    check_text(request.pattern, kLimits.channel_bytes);
  }
  void operator()(const api::Info&) const {}
  void operator()(const api::ListConnections& request) const { check_user(request.user); }
  void operator()(const api::Batch& request) const {
    SLUICE_CHECK(request.count <= kLimits.batch_commands);
    std::size_t count = 0;
    api::BatchWalk walk(request);
    for (; const auto command = walk.next(); ++count) {
      if (*command) check(parser, (*command)->method, (*command)->body);
    }
    SLUICE_CHECK(count == request.count);
  }
  // Presence, PresenceStats, HistoryRemove.
  template <class T>
  void operator()(const T& request) const {
    SLUICE_CHECK(!request.channel.empty());
    check_text(request.channel, kLimits.channel_bytes);
  }
};

void check(api::RequestParser& parser, Method method, std::string_view body) {
  const auto request = parser.parse(method, body);
  if (request) {
    SLUICE_CHECK(is_json(body) && ws::is_valid_utf8(as_bytes(body)));
    SLUICE_CHECK(request->index() == static_cast<std::size_t>(method));
    std::visit(Checker{parser, body}, *request);
    return;
  }
  const api::Refusal& refusal = request.error();
  SLUICE_CHECK(refusal.code == api::ErrorCode::kBadRequest && !refusal.detail.empty());
  std::string answer;
  append_error(answer, refusal);
  SLUICE_CHECK(is_json(answer));
  const bool is_object = is_json(body) && body[body.find_first_not_of(" \n\r\t")] == '{';
  if (refusal.is_malformed) SLUICE_CHECK(!is_object || !ws::is_valid_utf8(as_bytes(body)));
}

// Nobody is admitted who does not know the key.
void check_credentials(std::string_view text) {
  constexpr std::array<std::string_view, 1> kKeys = {"kEy"};
  auto keys = api::Keys::create(kKeys);
  SLUICE_CHECK(keys.has_value());
  SLUICE_CHECK(keys->admits({text, {}, {}}) == (text == "kEy"));
  if (keys->admits({{}, text, {}})) SLUICE_CHECK(text.find("kEy") != std::string_view::npos);
  if (keys->admits({{}, {}, text})) SLUICE_CHECK(text.find("api_key=") != std::string_view::npos);
}

}  // namespace

void api(ConstBytes input) {
  Choices choices(input);
  const std::size_t what = choices.below(api::kMethodCount + 1);
  const ExactCopy copy(choices.rest());
  if (what == api::kMethodCount) return check_credentials(copy.text());
  api::RequestParser parser(kLimits);
  check(parser, static_cast<Method>(what), copy.text());
}

}  // namespace sluice::fuzz
