#include "gateway/http_stage.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

#include "core/base/check.h"
#include "gateway/channel_kind.h"
#include "gateway/history_view.h"
#include "gateway/hooks/shard_hooks.h"
#include "gateway/router.h"
#include "gateway/shard_compression.h"
#include "proto/centrifuge/codes.h"
#include "proto/identity.h"
#include "proto/token/jwt.h"

namespace sluice {

bool HttpStage::may_hold_back_body(const http::Request& request) noexcept {
  return request.content_length() > 0 && request.has_element("expect", "100-continue");
}

HttpStage::HttpStage(ShardContext& shard, HttpHost& host, Connection& connection,
                     const ListenerTraits& traits, std::uint32_t listener)
    : shard_(shard),
      host_(host),
      connection_(connection),
      traits_(traits),
      listener_(listener),
      timer_([](void* owner, Time) noexcept { static_cast<HttpStage*>(owner)->on_timer(); }, this),
      parser_(shard.reader_context.simd,
              {.max_head = shard.limits.max_head, .max_body = max_body()}) {
  connection.install(*this);
}

HttpStage::~HttpStage() { drop_head(); }

void HttpStage::start(Handle self) noexcept {
  self_ = self;
  shard_.reactor.timers().arm(timer_, shard_.reactor.now() + shard_.limits.handshake_timeout);
}

std::size_t HttpStage::on_bytes(Connection&, Bytes bytes) noexcept {
  if (call_) return collect_body(bytes);
  if (body_due_ > 0) return skip_body(bytes);
  // A head that comes whole is parsed where it lies; else it is collected up to its limit.
  const std::size_t kept = head_size_;
  Bytes head = bytes;
  if (kept > 0) {
    const std::size_t room = shard_.limits.max_head + 1 - kept;
    bytes = bytes.first(std::min(bytes.size(), room));
    keep(bytes);
    head = head_block_.first(head_size_);
  }
  const bool was_idle = parser_.is_idle();
  const auto progress = parser_.parse(head);
  if (!progress) {
    const auto& error = describe(progress.error());
    log_request(nullptr, error.status, "bad_request");
    reject(error.status, error.text, Refused::kBadRequest);
    return bytes.size();
  }
  if (*progress == http::Progress::kNeedMore) {
    if (answered_ && was_idle && !parser_.is_idle()) {  // the next request begins
      shard_.reactor.timers().arm(timer_, shard_.reactor.now() + shard_.limits.handshake_timeout);
    }
    if (kept == 0) keep(bytes);
    return bytes.size();
  }
  const std::size_t taken = parser_.head_size() - kept;
  body_due_ = parser_.request().content_length();
  answer(parser_.request());
  if (call_) {
    if (kept > 0) head_size_ = parser_.head_size();  // what was kept behind it comes again
    return taken + collect_body(bytes.subspan(taken));
  }
  if (upgraded_) {
    host_.on_http_done(self_);  // destroys this
    return taken;
  }
  drop_head();
  parser_.reset();
  return taken;
}

std::size_t HttpStage::skip_body(Bytes bytes) noexcept {
  const auto taken = static_cast<std::size_t>(std::min<std::uint64_t>(bytes.size(), body_due_));
  body_due_ -= taken;
  return taken;
}

void HttpStage::keep(ConstBytes bytes) noexcept {
  const std::size_t size = head_size_ + bytes.size();
  if (size > head_block_.size()) {
    // Twice as much each time, or a large body in small pieces would be copied again and again.
    const Bytes block = shard_.reactor.blocks().take(std::max(size, 2 * head_block_.size()));
    if (head_size_ > 0) std::memcpy(block.data(), head_block_.data(), head_size_);
    if (!head_block_.empty()) shard_.reactor.blocks().give(head_block_);
    head_block_ = block;
  }
  std::memcpy(head_block_.data() + head_size_, bytes.data(), bytes.size());
  head_size_ = size;
}

void HttpStage::drop_head() noexcept {
  if (!head_block_.empty()) shard_.reactor.blocks().give(head_block_);
  head_block_ = {};
  head_size_ = 0;
}

void HttpStage::answer(const http::Request& request) noexcept {
  shard_.counters.http_requests.add();
  if (!traits_.is_ops && ws::is_upgrade(request)) {
    upgrade(request);
    return;
  }
  if (request.path().starts_with(kApiPrefix) || request.path() == kApiLines) {
    if (const auto served = api()) return begin_call(request, *served);
  }
  const bool keep_alive =
      request.keep_alive() && host_.instance().is_ready() && !may_hold_back_body(request);
  const Asked asked = Asked::of(request);
  if (asked.wants_history() && !traits_.is_ops) return ask_history(request, asked, keep_alive);
  log_request(&request, respond(asked, keep_alive, nullptr), "http");
}

// What was said in the chat is for those who might listen to it. It is with the channel's home, so
// the answer waits, and further requests with it.
void HttpStage::ask_history(const http::Request& request, const Asked& asked,
                            bool keep_alive) noexcept {
  const bool is_page = asked.path == "/";
  const auto denial =
      check_admission(request, DialectKind::kChat, traits_, host_.admission_rules());
  if (denial && is_page) {
    log_request(&request, respond(asked, keep_alive, nullptr), "http");
    return;
  }
  if (denial) {
    log_request(&request, denial->status, denial->label);
    return reject(denial->status, denial->text, Refused::kNotAllowed);
  }
  const auto after = parse_after(is_page ? std::string_view() : request.query());
  if (!after) {
    log_request(&request, 400, "history");
    return reject(400, after.error(), Refused::kBadRequest);
  }
  log_request(&request, 200, "history");
  pending_ = asked;
  pending_->path = is_page ? std::string_view("/") : kHistoryPath;
  pending_keep_alive_ = keep_alive;
  timer_.cancel();
  connection_.pause(Pause::kReply);
  pending_since_ = after->has_value();
  const std::uint8_t flags = pending_since_ ? std::uint8_t{0} : ShardMessage::kReverse;
  const auto count =
      pending_since_ ? ShardMessage::kAll : static_cast<std::uint32_t>(shard_.limits.page_messages);
  shard_.router.history(shard_.router.name(kChatChannel), *after, count,
                        {self_, ++last_request_, flags});
}

void HttpStage::on_answer(const ShardMessage& message) noexcept {
  if (call_ && call_->made) {
    call_->made->on_answer(message, last_request_);
    if (call_->made->is_complete()) answer_call();
    return;
  }
  if (message.kind != ShardMessage::Kind::kHistoryAnswer) return;  // of a call that was given up
  if (!pending_ || message.request != last_request_ || !connection_.is_open()) return;
  const Asked asked = *std::exchange(pending_, std::nullopt);
  const auto answer = HistoryAnswer::unpack(message.payload->bytes);
  const auto history = ChatHistory::of(answer, pending_since_, shard_.limits.page_messages);
  respond(asked, pending_keep_alive_, &history);
  if (connection_.is_open()) connection_.resume(Pause::kReply);
}

int HttpStage::respond(const Asked& asked, bool keep_alive, const ChatHistory* history) noexcept {
  std::string out;
  const int status = append_answer(out, asked, traits_, host_.instance(), history, keep_alive,
                                   shard_.reactor.clock().wall_now());
  if (status == 404) shard_.counters.refuse(Refused::kNotFound);
  answered_ = true;
  send(out);
  if (!keep_alive) {
    connection_.close();
    return status;
  }
  shard_.reactor.timers().arm(timer_, shard_.reactor.now() + shard_.limits.keep_alive_timeout);
  return status;
}

void HttpStage::upgrade(const http::Request& request) noexcept {
  const auto handshake = ws::check_upgrade(request);
  const auto dialect = dialect_at(request.path());
  if (!dialect) {
    log_request(&request, 404, "not_found");
    return reject(404, "There is no WebSocket endpoint here.\n", Refused::kNotFound);
  }
  if (!handshake) {
    const auto& error = ws::describe(handshake.error());
    log_request(&request, error.status, error.label);
    return reject(error.status, error.text, Refused::kBadRequest, error.fields);
  }
  if (!host_.instance().is_ready()) {
    log_request(&request, 503, "stopping");
    return say_unavailable(Refused::kUnavailable);
  }
  const Admitted admitted = who_asks(request, *dialect);
  const AdmissionRules& rules = host_.admission_rules();
  const bool is_vouched_for =
      !admitted.user_channel.empty() || rules.are_asked_about[static_cast<std::size_t>(*dialect)];
  if (const auto denial = check_admission(request, *dialect, traits_, rules, is_vouched_for)) {
    log_request(&request, denial->status, denial->label);
    return reject(denial->status, denial->text, Refused::kNotAllowed);
  }
  log_request(&request, 101, kDialectNames[static_cast<std::size_t>(*dialect)]);
  const auto agreed = shard_.compression.agree(request);
  std::string extensions;
  if (agreed) ws::append_deflate_answer(extensions, *agreed);
  std::string opening;
  const bool has_name =
      *dialect == DialectKind::kCentrifuge && handshake->offers(centrifuge::kSubprotocol);
  ws::append_switching_protocols(opening, host_.accept_key().of(handshake->key),
                                 has_name ? centrifuge::kSubprotocol : std::string_view(),
                                 extensions);
  upgraded_ = true;
  timer_.cancel();
  host_.open_session(connection_, *dialect, std::move(opening), agreed, admitted);
}

// A token in the query says who opens one of our own dialects; one that is not valid says nothing.
Admitted HttpStage::who_asks(const http::Request& request, DialectKind dialect) noexcept {
  Admitted admitted;
  admitted.is_trusted = is_trusted(request, dialect, traits_, host_.admission_rules());
  if (shard_.hooks != nullptr) admitted.passed_on = shard_.hooks->passed_on(request);
  const bool may_have_token = dialect == DialectKind::kChat || dialect == DialectKind::kRelay;
  const auto text = http::query_value(request.query(), "token");
  if (shard_.tokens == nullptr || !may_have_token || !text) return admitted;
  const auto now = std::chrono::floor<std::chrono::seconds>(
      shard_.reactor.clock().wall_now().time_since_epoch());
  const auto claims = shard_.tokens->verify_connection(*text, now.count());
  if (claims && !claims->user.empty() && claims->user.size() <= kUserTextBytesMax) {
    admitted.user_channel = user_channel(claims->user);
  }
  return admitted;
}

void HttpStage::reject(int status, std::string_view text, Refused reason,
                       std::span<const http::Field> fields) noexcept {
  shard_.counters.refuse(reason);
  std::string out;
  append_plain(out, status, text, false, parser_.is_head(), shard_.reactor.clock().wall_now(),
               fields);
  send(out);
  connection_.close();
}

void HttpStage::turn_away(Refused reason) noexcept {
  turned_away_ = true;
  log_request(nullptr, 503, "no_room");
  say_unavailable(reason);
}

void HttpStage::say_unavailable(Refused reason) noexcept {
  shard_.counters.refuse(reason);
  std::string out;
  append_unavailable(out, shard_.limits, shard_.reactor.clock().wall_now());
  send(out);
  connection_.close();
}

void HttpStage::send(std::string_view response) noexcept {
  if (!connection_.is_open()) return;
  const bool must_close = connection_.queue_size() > 0 && shard_.is_over_memory();
  connection_.write({}, as_bytes(response));
  if (!must_close) return;
  shard_.counters.refuse(Refused::kUnavailable);  // whoever asks on and does not read
  connection_.close();
}

// `request` is null if none could be read.
void HttpStage::log_request(const http::Request* request, int status,
                            std::string_view outcome) noexcept {
  host_.access_log().add(shard_.reactor.now(), connection_.peer(), request, status, outcome);
}

void HttpStage::on_timer() noexcept {
  if (!connection_.is_open()) return;
  if (parser_.is_idle()) {
    // Nothing was asked, or all of it was answered, whether or not its body has come.
    connection_.close();
  } else {
    log_request(nullptr, 408, "timeout");
    reject(408, "The request did not arrive in time.\n", Refused::kTimeout);
  }
}

void HttpStage::on_eof(Connection& connection) noexcept { connection.close(); }

void HttpStage::on_drained(Connection&) noexcept {}

void HttpStage::on_end(Connection&, StreamEnd) noexcept { host_.on_http_done(self_); }

void HttpStage::leave(std::uint32_t to_shard) noexcept {
  // The homes' answers would find nobody: the page goes without history, and a call is to be made
  // again.
  if (call_ && call_->made) give_up_call();
  if (pending_) respond(*std::exchange(pending_, std::nullopt), pending_keep_alive_, nullptr);
  to_shard_ = to_shard;
  connection_.release();
}

void HttpStage::close() noexcept {
  if (call_ && call_->made) {
    call_->keep_alive = false;
    return give_up_call();
  }
  if (pending_) {
    respond(*std::exchange(pending_, std::nullopt), false, nullptr);
    return;
  }
  connection_.close();
}

void HttpStage::on_released(Connection& connection, Departure departure) noexcept {
  departure.unread.insert(departure.unread.begin(), head_block_.begin(),
                          head_block_.begin() + static_cast<std::ptrdiff_t>(head_size_));
  host_.on_http_left(self_,
                     {std::move(departure), connection.peer(), listener_, body_due_, to_shard_});
}

}  // namespace sluice
