#include "gateway/origin.h"

#include <algorithm>
#include <charconv>

#include "core/socket_address.h"

namespace sluice {
namespace {

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) { return lower(c); });
  return out;
}

bool is_letter(char c) noexcept { return lower(c) >= 'a' && lower(c) <= 'z'; }
bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

// RFC 3986 3.1.
bool is_scheme(std::string_view text) noexcept {
  return !text.empty() && is_letter(text.front()) &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return is_letter(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
         });
}

// A name, an IPv4 address, or an IPv6 address in brackets.
bool is_host(std::string_view text) noexcept {
  if (text.empty() || !text.starts_with('[')) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
      return is_letter(c) || is_digit(c) || c == '-' || c == '.' || c == '_';
    });
  }
  return ListenAddress::parse(std::string(text) + ":0").has_value();
}

std::uint16_t default_port(std::string_view scheme) noexcept {
  if (same_text(scheme, "http")) return 80;
  return same_text(scheme, "https") ? 443 : 0;
}

// 1 to 65535 as browsers write it: without leading zeros.
std::optional<std::uint16_t> port_number(std::string_view digits) noexcept {
  std::uint16_t port = 0;
  const auto done = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  const bool is_whole = done.ec == std::errc{} && done.ptr == digits.data() + digits.size();
  if (!is_whole || digits.front() == '0') return std::nullopt;
  return port;
}

struct Parts {
  std::string_view scheme;
  std::string_view host;
  std::optional<std::uint16_t> port;  // unset: not a port; 0: none and no default
};

// Takes "scheme://host[:port]" apart; nothing if it has another form. Scheme and host are not
// judged.
std::optional<Parts> take_apart(std::string_view text) noexcept {
  const std::size_t end = text.find("://");
  if (end == std::string_view::npos) return std::nullopt;
  Parts parts{text.substr(0, end), {}, default_port(text.substr(0, end))};
  const std::string_view authority = text.substr(end + 3);
  const auto split = split_host(authority);
  if (!split) return std::nullopt;
  parts.host = split->host;
  if (authority.size() > split->host.size()) parts.port = port_number(split->port);
  return parts;
}

std::string_view port_or_default(std::string_view port, std::string_view scheme) noexcept {
  if (!port.empty()) return port;
  return same_text(scheme, "https") ? "443" : "80";
}

// What is wrong with text that is not of the right form; the last answer is for all the rest.
std::string_view remedy_for(std::string_view text) {
  const std::size_t end = text.find("://");
  const std::string_view scheme = text.substr(0, end);
  if (text.find('*') != std::string_view::npos) {
    return "there are no wildcards; name each origin";
  }
  if (end == std::string_view::npos || !is_scheme(scheme)) {
    return "write scheme://host or scheme://host:port, such as https://app.example, or null";
  }
  if (same_text(scheme, "ws") || same_text(scheme, "wss")) {
    return "an origin has the scheme of the page; write http:// or https://";
  }
  const std::string_view rest = text.substr(end + 3);
  if (rest.find('@') != std::string_view::npos) return "leave out user and password";
  if (rest.find_first_of("/?#") != std::string_view::npos) {
    return "end it after the host or the port, without path, query or even a slash";
  }
  const auto parts = take_apart(text);
  if (parts && is_host(parts->host)) return "the port must be 1 to 65535";
  return "the host must be a name in ASCII (xn--... for others), an IPv4 address or [IPv6]";
}

}  // namespace

Result<Origin, std::string> Origin::parse(std::string_view text) {
  Origin origin;
  if (text == "null") return origin;
  const auto parts = take_apart(text);
  const bool is_websocket = parts && (same_text(parts->scheme, "ws") ||  // never a page's scheme
                                      same_text(parts->scheme, "wss"));
  if (!parts || is_websocket || !is_scheme(parts->scheme) || !is_host(parts->host) ||
      !parts->port) {
    return fail(std::string(remedy_for(text)));
  }
  origin.scheme_ = lower(parts->scheme);
  origin.host_ = lower(parts->host);
  origin.port_ = *parts->port;
  return origin;
}

bool Origin::matches(std::string_view field) const noexcept {
  if (is_null()) return field == "null";
  const auto parts = take_apart(field);
  return parts && parts->port == port_ && same_text(parts->scheme, scheme_) &&
         same_text(parts->host, host_);
}

std::string Origin::to_string() const {
  if (is_null()) return "null";
  std::string text = scheme_ + "://" + host_;
  if (port_ != default_port(scheme_)) text.append(":").append(std::to_string(port_));
  return text;
}

bool is_same_origin(std::string_view origin, std::string_view scheme,
                    std::string_view host) noexcept {
  const std::size_t end = origin.find("://");
  if (end == std::string_view::npos || !same_text(origin.substr(0, end), scheme)) return false;
  const auto theirs = split_host(origin.substr(end + 3));
  const auto ours = split_host(host);
  return theirs && ours && same_text(theirs->host, ours->host) &&
         port_or_default(theirs->port, scheme) == port_or_default(ours->port, scheme);
}

std::optional<HostPort> split_host(std::string_view authority) noexcept {
  HostPort parts{authority, {}};
  std::size_t colon = std::string_view::npos;
  if (authority.starts_with('[')) {
    const std::size_t bracket = authority.find(']');
    if (bracket == std::string_view::npos) return std::nullopt;
    if (bracket + 1 < authority.size()) colon = bracket + 1;
    if (colon != std::string_view::npos && authority[colon] != ':') return std::nullopt;
  } else {
    colon = authority.find(':');
  }
  if (colon != std::string_view::npos) {
    parts.host = authority.substr(0, colon);
    parts.port = authority.substr(colon + 1);
  }
  if (parts.host.empty() || !std::all_of(parts.port.begin(), parts.port.end(), is_digit)) {
    return std::nullopt;
  }
  return parts;
}

bool same_text(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace sluice
