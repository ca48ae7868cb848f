// Offers of permessage-deflate: what is agreed on was offered and is within our settings, and the
// answer says it in a form that a second reader takes for the same.
#include "proto/ws/deflate_offer.h"

#include <string>

#include "core/base/check.h"
#include "proto/http/request_parser.h"
#include "tests/fuzz/fuzz_target.h"

namespace sluice::fuzz {
namespace {

std::optional<ws::DeflateAgreement> agree(std::string_view offers,
                                          const ws::DeflateSettings& settings) {
  std::string head = "GET / HTTP/1.1\r\nHost: localhost\r\nSec-WebSocket-Extensions: ";
  head.append(offers).append("\r\n\r\n");
  http::RequestParser parser(Simd::detect());
  const ExactCopy received(as_bytes(head));
  const auto progress = parser.parse(received.bytes());
  if (!progress || *progress != http::Progress::kComplete) return std::nullopt;
  return ws::choose_deflate(parser.request(), settings);
}

}  // namespace

void deflate_offer(ConstBytes input) {
  Choices choices(input);
  ws::DeflateSettings settings;
  settings.window_bits = static_cast<std::uint8_t>(9 + choices.below(7));
  settings.takeover = choices.byte() % 2 != 0;
  const std::string_view offers = as_text(choices.rest());
  const auto agreed = agree(offers, settings);
  if (!agreed) return;
  SLUICE_CHECK(offers.find("permessage-deflate") != std::string_view::npos);
  for (const ws::DeflateSide& side : {agreed->server, agreed->client}) {
    SLUICE_CHECK(side.window_bits >= ws::kWindowBitsMin && side.window_bits <= ws::kWindowBitsMax);
    SLUICE_CHECK(settings.takeover || !side.takeover);
  }
  SLUICE_CHECK(agreed->server.window_bits <= settings.window_bits);
  std::string answer;
  ws::append_deflate_answer(answer, *agreed);
  SLUICE_CHECK(answer.starts_with("permessage-deflate"));
  // Offered back, the answer is well-formed and agreed on as it stands.
  const auto again = agree(answer, {.window_bits = ws::kWindowBitsMax, .takeover = true});
  SLUICE_CHECK(again.has_value());
  SLUICE_CHECK(again->server.takeover == agreed->server.takeover);
  if (agreed->says_server_bits)
    SLUICE_CHECK(again->server.window_bits == agreed->server.window_bits);
  if (agreed->says_client_bits)
    SLUICE_CHECK(again->client.window_bits == agreed->client.window_bits);
}

}  // namespace sluice::fuzz
