#include "proto/ws/deflate_offer.h"

#include <algorithm>
#include <string_view>

#include "proto/http/text.h"

namespace sluice::ws {
namespace {

using Text = std::string_view;

constexpr Text kExtension = "permessage-deflate";
constexpr Text kServerTakeover = "server_no_context_takeover";
constexpr Text kClientTakeover = "client_no_context_takeover";
constexpr Text kServerBits = "server_max_window_bits";
constexpr Text kClientBits = "client_max_window_bits";

// Takes what stands before the next `separator` that is not inside a quoted-string (RFC 9110
// 5.6.4). An open quote reaches to the end. False at the end of the list.
bool next_part(Text& list, char separator, Text& part) noexcept {
  if (list.data() == nullptr) return false;
  bool quoted = false;
  std::size_t i = 0;
  for (; i < list.size(); ++i) {
    const char c = list[i];
    if (quoted && c == '\\') {
      ++i;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == separator && !quoted) {
      break;
    }
  }
  i = std::min(i, list.size());
  part = http::trim(list.substr(0, i));
  list = i == list.size() ? Text() : list.substr(i + 1);
  return true;
}

// 8 to 15 without a sign or a leading zero, as a token or as a quoted-string of one (RFC 6455 9.1).
std::optional<std::uint8_t> read_bits(Text value) noexcept {
  char digits[2];
  std::size_t count = 0;
  const bool quoted = value.size() >= 2 && value.front() == '"' && value.back() == '"';
  if (quoted) value = value.substr(1, value.size() - 2);
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (quoted && value[i] == '\\' && ++i == value.size()) return std::nullopt;
    if (value[i] < '0' || value[i] > '9' || count == 2) return std::nullopt;
    digits[count++] = value[i];
  }
  if (count == 0 || digits[0] == '0') return std::nullopt;
  const int number = count == 1 ? digits[0] - '0' : (digits[0] - '0') * 10 + (digits[1] - '0');
  if (number < kWindowBitsMin || number > kWindowBitsMax) return std::nullopt;
  return static_cast<std::uint8_t>(number);
}

struct Offer {
  bool server_no_takeover = false;
  bool client_no_takeover = false;
  bool has_client_bits = false;
  std::optional<std::uint8_t> server_bits;
  std::optional<std::uint8_t> client_bits;

  // False: malformed, repeated or unknown.
  bool take(Text parameter) noexcept {
    const std::size_t equals = parameter.find('=');
    const bool has_value = equals != Text::npos;
    const Text name = http::trim(parameter.substr(0, equals));
    const Text value = has_value ? http::trim(parameter.substr(equals + 1)) : Text();
    if (name == kServerTakeover) return take_flag(server_no_takeover, has_value);
    if (name == kClientTakeover) return take_flag(client_no_takeover, has_value);
    if (name == kServerBits) {
      if (server_bits || !has_value) return false;
      server_bits = read_bits(value);
      return server_bits.has_value();
    }
    if (name != kClientBits || !take_flag(has_client_bits, false)) return false;
    if (has_value) client_bits = read_bits(value);
    return !has_value || client_bits.has_value();
  }

 private:
  static bool take_flag(bool& flag, bool has_value) noexcept {
    if (flag || has_value) return false;
    flag = true;
    return true;
  }
};

// Null: another extension, or malformed.
std::optional<Offer> read_offer(Text text) noexcept {
  Text part;
  if (!next_part(text, ';', part) || part != kExtension) return std::nullopt;
  Offer offer;
  while (next_part(text, ';', part)) {
    if (!offer.take(part)) return std::nullopt;
  }
  return offer;
}

// Null: not acceptable.
std::optional<DeflateAgreement> accept(const Offer& offer,
                                       const DeflateSettings& settings) noexcept {
  DeflateAgreement agreed;
  agreed.server.takeover = settings.takeover && !offer.server_no_takeover;
  agreed.server.window_bits = settings.window_bits;
  if (offer.server_bits) {
    if (*offer.server_bits < settings.window_bits && !settings.takeover) return std::nullopt;
    agreed.server.window_bits = std::min(*offer.server_bits, settings.window_bits);
    agreed.says_server_bits = true;
  }
  agreed.client.takeover = settings.takeover && !offer.client_no_takeover;
  if (offer.has_client_bits) {
    agreed.client.window_bits =
        std::min(offer.client_bits.value_or(kWindowBitsMax), settings.window_bits);
    agreed.says_client_bits = true;
  } else if (settings.window_bits < kWindowBitsMax) {
    // Nothing can be asked of its window, and a full one is more than we want to remember.
    agreed.client.takeover = false;
  }
  return agreed;
}

}  // namespace

std::optional<DeflateAgreement> choose_deflate(const http::Request& request,
                                               const DeflateSettings& settings) noexcept {
  for (std::size_t i = 0; i < request.field_count(); ++i) {
    if (!http::equals_ignoring_case(request.field_name(i), "sec-websocket-extensions")) continue;
    Text list = request.field_value(i);
    Text text;
    while (next_part(list, ',', text)) {
      const auto offer = read_offer(text);
      if (!offer) continue;
      if (const auto agreed = accept(*offer, settings)) return agreed;
    }
  }
  return std::nullopt;
}

void append_deflate_answer(std::string& out, const DeflateAgreement& agreement) {
  const auto add = [&out](Text parameter) { out.append("; ").append(parameter); };
  const auto add_bits = [&](Text parameter, std::uint8_t bits) {
    add(parameter);
    out += '=' + std::to_string(bits);
  };
  out += kExtension;
  if (!agreement.server.takeover) add(kServerTakeover);
  if (!agreement.client.takeover) add(kClientTakeover);
  if (agreement.says_server_bits) add_bits(kServerBits, agreement.server.window_bits);
  if (agreement.says_client_bits) add_bits(kClientBits, agreement.client.window_bits);
}

}  // namespace sluice::ws
