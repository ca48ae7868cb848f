#include "gateway/endpoints.h"

#include <array>

#include "gateway/dialect_kind.h"
#include "gateway/metrics_text.h"
#include "gateway/pages.h"

namespace sluice {
namespace {

struct Answer {
  int status = 200;
  std::string_view type = "text/plain; charset=utf-8";
  std::string body;
  bool is_page = false;
};

Answer plain(int status, std::string_view text) {
  return {status, "text/plain; charset=utf-8", std::string(text), false};
}

Answer page(std::string_view html) {
  return {200, "text/html; charset=utf-8", std::string(html), true};
}

Answer answer_get(std::string_view path, const ListenerTraits& listener,
                  const InstanceView& instance) {
  if (path == "/healthz") return plain(200, "ok\n");
  if (path == "/readyz") {
    return instance.is_ready() ? plain(200, "ready\n") : plain(503, "stopping\n");
  }
  if (path == "/metrics" && (listener.is_loopback || listener.is_ops)) {
    return {200, kMetricsContentType, instance.metrics(), false};
  }
  if (!listener.is_ops) {
    if (path == "/") return page(pages::kChatHtml);
    if (path == "/toy") return page(pages::kToyHtml);
    if (dialect_at(path)) return plain(426, "This is a WebSocket endpoint.\n");
  }
  return plain(404, "There is nothing here.\n");
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

int append_answer(std::string& out, const http::Request& request, const ListenerTraits& listener,
                  const InstanceView& instance, bool keep_alive, WallTime now) {
  const bool is_head = request.method() == "HEAD";
  Answer answer = is_head || request.method() == "GET"
                      ? answer_get(request.path(), listener, instance)
                      : plain(405, "Only GET and HEAD are served here.\n");
  std::array<http::Field, 6> fields;
  std::size_t count = 0;
  fields[count++] = {"Content-Type", answer.type};
  if (answer.status == 405) fields[count++] = {"Allow", "GET, HEAD"};
  if (answer.status == 426) {
    fields[count++] = {"Upgrade", "websocket"};
    fields[count++] = {"Sec-WebSocket-Version", "13"};
  }
  if (answer.is_page) {
    // All of a page is in it; nothing else may run or be loaded, and it talks to this host only.
    fields[count++] = {"Content-Security-Policy",
                       "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
                       "connect-src 'self' ws: wss:; img-src data:; base-uri 'none'; "
                       "form-action 'none'; frame-ancestors 'none'"};
    fields[count++] = {"X-Content-Type-Options", "nosniff"};
  }
  fields[count++] = {"Cache-Control", "no-store"};
  http::Response response;
  response.status = answer.status;
  response.fields = std::span(fields).first(count);
  response.body = answer.body;
  response.keep_alive = keep_alive;
  response.is_head = is_head;
  response.for_http10 = request.minor_version() == 0;
  response.date = now;
  http::append_response(out, response);
  return answer.status;
}

}  // namespace sluice
