// Opening handshakes: what is accepted is what RFC 6455 4.2.1 asks for, and each refusal has a
// status and can be written as a response.
#include "proto/ws/handshake.h"

#include <string>

#include "core/base/check.h"
#include "gateway/admission.h"
#include "proto/http/request_parser.h"
#include "proto/http/response.h"
#include "proto/http/text.h"
#include "proto/ws/client.h"
#include "tests/fuzz/fuzz_target.h"

namespace sluice::fuzz {
namespace {

constexpr std::string_view kKey = "Sec-WebSocket-Key";

void check_accepted(const http::Request& request, const ws::Handshake& handshake) {
  SLUICE_CHECK(ws::is_upgrade(request));
  SLUICE_CHECK(request.method() == "GET" && request.minor_version() == 1);
  SLUICE_CHECK(request.content_length() == 0);
  SLUICE_CHECK(request.has_element("Upgrade", "websocket"));
  SLUICE_CHECK(request.has_element("Connection", "upgrade"));
  SLUICE_CHECK(request.count("Sec-WebSocket-Version") == 1 &&
               request.find("Sec-WebSocket-Version") == "13");
  SLUICE_CHECK(request.count(kKey) == 1 && request.find(kKey) == handshake.key);
  SLUICE_CHECK(handshake.key.size() == ws::kKeySize && handshake.key.ends_with("=="));
  SLUICE_CHECK(handshake.subprotocol_count <= ws::kSubprotocolsMax);
  for (std::size_t i = 0; i < handshake.subprotocol_count; ++i) {
    SLUICE_CHECK(http::is_token(handshake.subprotocols[i]));
    SLUICE_CHECK(handshake.offers(handshake.subprotocols[i]));
  }
  auto accept_key = ws::AcceptKey::create();
  SLUICE_CHECK(accept_key.has_value());
  const ws::AcceptKey::Value accept = accept_key->of(handshake.key);
  const std::string_view accept_text(accept.data(), accept.size());
  std::string response;
  ws::append_switching_protocols(response, accept);
  const auto size = ws::check_handshake_response(response, accept_text);
  SLUICE_CHECK(size && *size == response.size());
}

void check_refused(ws::HandshakeError error) {
  const ws::HandshakeErrorInfo& info = ws::describe(error);
  SLUICE_CHECK(info.status >= 400 && info.status < 500 && !info.text.empty());
  std::string response;
  http::append_response(
      response,
      {.status = info.status, .fields = info.fields, .body = info.text, .keep_alive = false});
  SLUICE_CHECK(response.starts_with("HTTP/1.1 4"));
}

// Whoever lets a page of any origin in must have been asked by the rules to do so.
void check_admission_of(const http::Request& request) {
  AdmissionRules rules;
  const std::string_view said = request.find("Origin").value_or("");
  if (const auto origin = Origin::parse(said)) {
    SLUICE_CHECK(origin->matches(said));
    rules.allowed_origins.push_back(*origin);
  }
  for (const bool is_loopback : {false, true}) {
    const ListenerTraits traits{.is_loopback = is_loopback, .is_ops = false};
    for (const DialectKind kind : {DialectKind::kEcho, DialectKind::kChat, DialectKind::kRelay}) {
      const auto denial = check_admission(request, kind, traits, rules);
      if (denial) SLUICE_CHECK(denial->status >= 400 && denial->status < 500);
      const bool needs_identity = kind != DialectKind::kEcho;
      if (needs_identity && !is_loopback) SLUICE_CHECK(denial.has_value());
    }
  }
}

}  // namespace

void handshake(ConstBytes input) {
  Choices choices(input);
  const bool is_bare = choices.byte() % 4 == 0;
  std::string head = is_bare ? "" : "GET /chat HTTP/1.1\r\nHost: localhost\r\n";
  head += as_text(choices.rest());
  head += "\r\n\r\n";
  const ExactCopy received(as_bytes(head));
  http::RequestParser parser(Simd::detect());
  const auto progress = parser.parse(received.bytes());
  if (!progress || *progress != http::Progress::kComplete) return;
  const auto checked = ws::check_upgrade(parser.request());
  if (checked) {
    check_accepted(parser.request(), *checked);
  } else {
    check_refused(checked.error());
  }
  check_admission_of(parser.request());
}

}  // namespace sluice::fuzz
