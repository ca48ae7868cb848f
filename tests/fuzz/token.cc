// Tokens: as they come, and with any header and any claims signed with the right key.
#include <string>
#include <string_view>

#include "core/base/check.h"
#include "proto/base64.h"
#include "proto/token/jwt.h"
#include "proto/ws/utf8.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/json_judge.h"
#include "tests/proto/token/sign.h"

namespace sluice::fuzz {
namespace {

constexpr std::string_view kKey = "secret";
constexpr std::int64_t kNow = 1700000000;

void check_text(std::string_view text) { SLUICE_CHECK(ws::is_valid_utf8(as_bytes(text))); }
void check_json(std::string_view json) {
  SLUICE_CHECK(json.empty() || (ws::is_valid_utf8(as_bytes(json)) && is_json(json)));
}

// Answers whether the token was good for anything.
bool verify(token::Verifier& verifier, std::string_view text) {
  const auto connection = verifier.verify_connection(text, kNow);
  if (connection) {
    check_text(connection->user);
    check_json(connection->info);
    SLUICE_CHECK(connection->expires_at >= 0);
    for (const token::ChannelGrant& grant : connection->channels) {
      check_text(grant.channel);
      check_json(grant.info);
      check_json(grant.data);
    }
  }
  const auto subscription = verifier.verify_subscription(text, kNow);
  if (subscription) {
    SLUICE_CHECK(!connection && !subscription->channel.empty());
    check_text(subscription->channel);
    check_text(subscription->client);
    check_json(subscription->info);
    check_json(subscription->data);
  }
  return connection || subscription;
}

// What is decoded is exactly what an encoder makes of it.
void check_base64(std::string_view text) {
  std::string bytes;
  if (base64::decode(base64::Alphabet::kUrl, text, bytes)) {
    SLUICE_CHECK(token::encode_base64url(bytes) == text);
  }
  if (base64::decode(base64::Alphabet::kStandard, text, bytes)) {
    SLUICE_CHECK(text.size() % 4 == 0 && bytes.size() <= text.size() / 4 * 3);
  }
}

}  // namespace

void tokens(ConstBytes input) {
  const std::string key(kKey);
  auto verifier = token::Verifier::create({&key, 1}, {{}, {}});
  SLUICE_CHECK(verifier);
  Choices choices(input);
  const std::size_t mode = choices.below(3);
  const ExactCopy copy(choices.rest());
  if (mode == 0) {
    check_base64(copy.text());
    verify(*verifier, copy.text());
  } else if (mode == 1) {
    const bool is_good = verify(*verifier, token::sign(token::kHeader, copy.text(), kKey));
    SLUICE_CHECK(!is_good || (ws::is_valid_utf8(copy.bytes()) && is_json(copy.text())));
    SLUICE_CHECK(!verify(*verifier, token::sign(token::kHeader, copy.text(), "other")));
  } else {
    const bool is_good = verify(*verifier, token::sign(copy.text(), "{}", kKey));
    SLUICE_CHECK(!is_good || copy.text().find("256") != std::string_view::npos ||
                 copy.text().find('\\') != std::string_view::npos);
  }
}

}  // namespace sluice::fuzz
