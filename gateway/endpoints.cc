#include "gateway/endpoints.h"

#include <algorithm>
#include <array>
#include <utility>

#include "gateway/dialect_kind.h"
#include "gateway/history_view.h"
#include "gateway/metrics_text.h"
#include "gateway/page_files.h"
#include "gateway/pages.h"

namespace sluice {
namespace {

// A page loads what comes from this host and talks to it, and nothing else runs: no inline script
// or style, no other site, and (by trusted types) no text that a script makes into markup.
constexpr std::string_view kPagePolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'";

struct Answer {
  int status = 200;
  std::string_view type = "text/plain; charset=utf-8";
  std::string body;
  bool is_page = false;
};

Answer plain(int status, std::string_view text) {
  return {status, "text/plain; charset=utf-8", std::string(text), false};
}

Answer page(std::string html) { return {200, "text/html; charset=utf-8", std::move(html), true}; }

Answer page_file(const PageFile& file) { return {200, file.type, std::string(file.bytes), true}; }

Answer answer_get(std::string_view path, const ListenerTraits& listener,
                  const InstanceView& instance, const ChatHistory* history) {
  const bool sees_inside = listener.is_loopback || listener.is_ops;
  if (path == "/healthz") return plain(200, "ok\n");
  if (path == "/readyz") {
    if (!instance.is_ready()) return plain(503, "stopping\n");
    // Clients are served all the same; what is wrong is for the operator.
    const bool tells = sees_inside && instance.has_lost_storage();
    return plain(200, tells ? "ready, but nothing is kept on disk\n" : "ready\n");
  }
  if (path == "/metrics" && sees_inside) {
    return {200, kMetricsContentType, instance.metrics(), false};
  }
  if (!listener.is_ops) {
    if (path == "/") {
      return page(history != nullptr ? chat_page(pages::kChatHtml, *history)
                                     : std::string(pages::kChatHtml));
    }
    if (path == kHistoryPath) {
      if (history == nullptr) return plain(503, "The history cannot be had now.\n");
      return {200, "application/json; charset=utf-8", history_json(*history), false};
    }
    if (path == "/toy") return page(std::string(pages::kToyHtml));
    if (const PageFile* file = page_file_at(path)) return page_file(*file);
    if (dialect_at(path)) return plain(426, "This is a WebSocket endpoint.\n");
  }
  return plain(404, "There is nothing here.\n");
}

// RFC 9110 9.3 and PATCH; others are answered 501, not 405 (RFC 9110 9.1).
bool is_known_method(std::string_view method) noexcept {
  constexpr std::array<std::string_view, 9> kMethods = {
      "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"};
  return std::find(kMethods.begin(), kMethods.end(), method) != kMethods.end();
}

}  // namespace

void append_plain(std::string& out, int status, std::string_view text, bool keep_alive,
                  bool is_head, WallTime now, std::span<const http::Field> fields) {
  std::array<http::Field, 8> all;
  std::size_t count = 0;
  all[count++] = {"Content-Type", "text/plain; charset=utf-8"};
  for (const http::Field& field : fields) {
    if (count < all.size()) all[count++] = field;
  }
  http::Response response;
  response.status = status;
  response.fields = std::span(all).first(count);
  response.body = text;
  response.keep_alive = keep_alive;
  response.is_head = is_head;
  response.date = now;
  http::append_response(out, response);
}

void append_unavailable(std::string& out, const Limits& limits, WallTime now) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(limits.retry_after).count();
  const std::string text = std::to_string(seconds);
  const http::Field retry{"Retry-After", text};
  append_plain(out, 503, "No room at the moment; try again later.\n", false, false, now,
               std::span(&retry, 1));
}

Asked Asked::of(const http::Request& request) noexcept {
  const bool is_head = request.method() == "HEAD";
  return {request.path(), is_head || request.method() == "GET", is_head,
          request.minor_version() == 0, is_known_method(request.method())};
}

bool Asked::wants_history() const noexcept {
  return is_read && (path == "/" || path == kHistoryPath);
}

int append_answer(std::string& out, const Asked& asked, const ListenerTraits& listener,
                  const InstanceView& instance, const ChatHistory* history, bool keep_alive,
                  WallTime now) {
  Answer answer = answer_get(asked.path, listener, instance, history);
  if (!asked.is_known) {
    answer = plain(501, "No such method is known here.\n");
  } else if (!asked.is_read && answer.status != 404) {
    answer = plain(405, "Only GET and HEAD are served here.\n");
  }
  std::array<http::Field, 8> fields;
  std::size_t count = 0;
  fields[count++] = {"Content-Type", answer.type};
  if (answer.status == 405) fields[count++] = {"Allow", "GET, HEAD"};
  if (answer.status == 426) {
    fields[count++] = {"Upgrade", "websocket"};
    fields[count++] = {"Connection", "Upgrade"};
    fields[count++] = {"Sec-WebSocket-Version", "13"};
  }
  if (answer.is_page) {
    fields[count++] = {"Content-Security-Policy", kPagePolicy};
    fields[count++] = {"X-Content-Type-Options", "nosniff"};
  }
  fields[count++] = {"Cache-Control", "no-store"};
  http::Response response;
  response.status = answer.status;
  response.fields = std::span(fields).first(count);
  response.body = answer.body;
  response.keep_alive = keep_alive;
  response.is_head = asked.is_head;
  response.for_http10 = asked.is_http10;
  response.date = now;
  http::append_response(out, response);
  return answer.status;
}

}  // namespace sluice
