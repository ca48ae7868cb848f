// Hooks: any answer of an application server is one that says only what can be said, or none; and
// whatever a client sends becomes a question in JSON.
#include <array>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/check.h"
#include "proto/hooks/answer.h"
#include "proto/hooks/event.h"
#include "proto/hooks/request.h"
#include "proto/hooks/signature.h"
#include "proto/identity.h"
#include "proto/ws/utf8.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/json_judge.h"

namespace sluice::fuzz {
namespace {

void check_text(std::string_view text, std::size_t bytes_max) {
  SLUICE_CHECK(ws::is_valid_utf8(as_bytes(text)) && text.size() <= bytes_max);
}
void check_json(std::string_view json) {
  SLUICE_CHECK(json.empty() || (ws::is_valid_utf8(as_bytes(json)) && is_json(json)));
}

void check(const hooks::Error& error) {
  SLUICE_CHECK(error.code >= 100 && error.code <= 1999);
  check_text(error.message, hooks::kMessageBytesMax);
}
void check(const hooks::Disconnect& disconnect) {
  SLUICE_CHECK(disconnect.code >= 3000 && disconnect.code <= 4999);
  check_text(disconnect.reason, hooks::kReasonBytesMax);
}
void check(const hooks::ConnectResult& result) {
  check_text(result.claims.user, kUserTextBytesMax);
  check_json(result.claims.info);
  check_json(result.data);
  SLUICE_CHECK(result.claims.expires_at >= 0);
  for (const token::ChannelGrant& grant : result.claims.channels) {
    check_text(grant.channel, SIZE_MAX);
    check_json(grant.info);
    check_json(grant.data);
  }
}
void check(const hooks::SubscribeResult& result) {
  check_json(result.info);
  check_json(result.data);
  SLUICE_CHECK(result.expires_at >= 0);
}
void check(const hooks::PublishResult& result) {
  check_json(result.data);
  check_json(result.tags);
  check_text(result.idempotency_key, 256);
}

template <class Answer>
void check_answer(const Answer& answer, const ExactCopy& body) {
  if (!answer) return;
  SLUICE_CHECK(ws::is_valid_utf8(body.bytes()) && is_json(body.text()));
  std::visit([](const auto& part) { check(part); }, *answer);
}

// A question and an event of such texts.
void check_writing(std::string_view text) {
  const std::array<std::string_view, 2> channels = {text, "x"};
  std::string out;
  hooks::append_connect(out, {text, text, text}, {text, text, "[1]", channels});
  SLUICE_CHECK(ws::is_valid_utf8(as_bytes(out)) && is_json(out));
  out.clear();
  hooks::append_in_channel(out, {text, text, {}}, text, {});
  SLUICE_CHECK(is_json(out));
  hooks::Event event;
  event.type = hooks::EventType::kDisconnected;
  event.client = event.user = event.channel = event.cause = text;
  std::vector<std::string> events(2);
  for (std::string& one : events) hooks::append_event(one, event, text, -1);
  out.clear();
  hooks::append_delivery(out, {text, 7, 1}, events);
  SLUICE_CHECK(is_json(out));
  const std::vector<std::string> secrets = {"a", "b"};
  std::string field;
  hooks::Signer::create(secrets)->append_field(field, 1, out);
  SLUICE_CHECK(field.size() == std::string_view("Sluice-Signature: t=1\n").size() + 2 * (4 + 64));
}

}  // namespace

void hook_answers(ConstBytes input) {
  const ExactCopy copy(input);
  check_answer(hooks::read_connect_answer(copy.bytes()), copy);
  check_answer(hooks::read_subscribe_answer(copy.bytes()), copy);
  check_answer(hooks::read_publish_answer(copy.bytes()), copy);
  if (ws::is_valid_utf8(copy.bytes())) check_writing(copy.text());
}

}  // namespace sluice::fuzz
