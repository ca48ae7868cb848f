// The server API as HTTP: who may call, the body, and the answer.
#include <algorithm>
#include <array>
#include <string>

#include "gateway/http_stage.h"

namespace sluice {
namespace {

constexpr std::string_view kJson = "application/json";
constexpr std::string_view kText = "text/plain; charset=utf-8";
constexpr http::Field kRetryAfter{"Retry-After", "1"};
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

}  // namespace

// None: it is not served here.
std::optional<ApiParts> HttpStage::api() const noexcept {
  auto api = host_.api();
  if (api && !traits_.is_ops && !api->desk.settings().on_clients) api.reset();
  return api;
}

// What the API takes counts where it is served, even for requests that are not for it.
std::uint64_t HttpStage::max_body() const noexcept {
  const std::uint64_t usual = http::RequestLimits{}.max_body;
  const auto served = api();
  return served ? std::max<std::uint64_t>(usual, served->desk.settings().max_body) : usual;
}

// Decides by the head alone: a body is read only of who may call.
void HttpStage::begin_call(const http::Request& request, const ApiParts& api) noexcept {
  std::optional<api::Method> method;
  if (request.path() != kApiLines) {
    method = api::method_of(request.path().substr(kApiPrefix.size()));
    if (!method) return refuse_call(request, 404, "404 page not found\n");
  }
  if (request.method() != "POST") {
    const http::Field allow{"Allow", "POST"};
    return refuse_call(request, 405, {}, std::span(&allow, 1));
  }
  if (!api.desk.admits(request)) return refuse_call(request, 401, {});
  if (request.content_length() > api.desk.settings().max_body) {
    return refuse_call(request, 413, "The body is too long for this API.\n");
  }
  if (!api.desk.may_take(shard_.reactor.now())) {
    return refuse_call(request, 429, "Too many requests.\n", std::span(&kRetryAfter, 1));
  }
  log_request(&request, 200, "api");
  shard_.reactor.timers().arm(timer_, shard_.reactor.now() + shard_.limits.handshake_timeout);
  body_due_ = 0;
  call_ = std::make_unique<Call>();
  call_->method = method;
  call_->keep_alive = request.keep_alive() && host_.instance().is_ready();
  call_->transport_errors = request.find("X-Centrifugo-Error-Mode") == "transport";
  call_->body_size = request.content_length();
  // RFC 9110 10.1.1: an older client does not know what that is.
  if (request.minor_version() > 0 && may_hold_back_body(request)) send(kContinue);
}

void HttpStage::refuse_call(const http::Request& request, int status, std::string_view text,
                            std::span<const http::Field> fields) noexcept {
  log_request(&request, status, "api");
  shard_.counters.refuse(status == 401   ? Refused::kNotAllowed
                         : status == 404 ? Refused::kNotFound
                                         : Refused::kBadRequest);
  const bool keep_alive = request.keep_alive() && host_.instance().is_ready() &&
                          !request.has_element("expect", "100-continue") && status != 413;
  std::string out;
  append_plain(out, status, text, keep_alive, parser_.is_head(), shard_.reactor.clock().wall_now(),
               fields);
  answered_ = true;
  send(out);
  if (!keep_alive) connection_.close();
}

// Calls when the body is complete: where it lies, if it came with its head. Else head and body are
// kept together, so that a connection that leaves takes along all of its request.
std::size_t HttpStage::collect_body(Bytes bytes) noexcept {
  const std::size_t head = parser_.head_size();
  const std::size_t had = head_size_ > head ? head_size_ - head : 0;
  const auto taken =
      static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), call_->body_size - had));
  if (had == 0 && taken == call_->body_size) {
    make_call(as_text(bytes.first(taken)));
    return taken;
  }
  if (head_size_ == 0) {
    // The head lies in front of the body, in what was just received.
    keep(ConstBytes(bytes.data() - head, head));
  }
  keep(bytes.first(taken));
  if (head_size_ - head == call_->body_size) {
    make_call(as_text(head_block_.first(head_size_)).substr(head));
  }
  return taken;
}

void HttpStage::make_call(std::string_view body) noexcept {
  call_->made = std::make_unique<ApiCall>(*host_.api(), self_, call_->transport_errors);
  if (call_->method) {
    call_->made->begin(*call_->method, body, last_request_);
  } else {
    call_->made->begin_lines(body, last_request_);
  }
  drop_head();
  parser_.reset();
  timer_.cancel();
  if (call_->made->is_complete()) return answer_call();
  connection_.pause(Pause::kReply);
}

void HttpStage::answer_call() noexcept {
  const ApiCall::Answer answer = call_->made->take_answer();
  const bool keep_alive = call_->keep_alive;
  call_.reset();
  if (!connection_.is_open()) return;
  const std::string_view type = answer.is_json ? kJson : kText;
  std::array<http::Field, 2> fields = {http::Field{"Content-Type", type}, kRetryAfter};
  http::Response response;
  response.status = answer.status;
  response.fields = std::span(fields).first(answer.may_retry ? 2 : 1);
  response.body = answer.body;
  response.keep_alive = keep_alive;
  response.date = shard_.reactor.clock().wall_now();
  std::string out;
  http::append_response(out, response);
  answered_ = true;
  send(out);
  if (!keep_alive) return connection_.close();
  shard_.reactor.timers().arm(timer_, shard_.reactor.now() + shard_.limits.keep_alive_timeout);
  if (connection_.is_paused_for(Pause::kReply)) connection_.resume(Pause::kReply);
}

// Homes may have done what was asked; with an idempotency key asking again does no harm.
void HttpStage::give_up_call() noexcept {
  const bool keep_alive = call_->keep_alive;
  call_.reset();
  std::string out;
  append_plain(out, 503, "Not done, or not known to be done; ask again.\n", keep_alive, false,
               shard_.reactor.clock().wall_now(), std::span(&kRetryAfter, 1));
  shard_.counters.refuse(Refused::kUnavailable);
  send(out);
  if (!keep_alive) connection_.close();
}

}  // namespace sluice
