#include "proto/http/request_parser.h"

#include <algorithm>

#include "core/base/check.h"
#include "proto/http/request_rules.h"

namespace sluice::http {

using E = RequestError;

Result<Progress, RequestError> RequestParser::parse(ConstBytes received) noexcept {
  SLUICE_CHECK(state_ != State::kComplete);
  const std::string_view all = as_text(received);
  request_.base_ = all.data();
  while (state_ != State::kComplete) {
    const std::size_t most = limit();
    const Step went_on = step(all.substr(0, most));
    if (!went_on) return fail(went_on.error());
    if (*went_on) continue;
    if (all.size() < most) return Progress::kNeedMore;
    return fail(state_ < State::kRequestLineLf && most < limits_.max_head ? E::kRequestLineTooLong
                                                                          : E::kHeadTooBig);
  }
  if (const auto wrong = apply_rules(request_, limits_.max_body)) return fail(*wrong);
  return Progress::kComplete;
}

void RequestParser::reset() noexcept {
  state_ = State::kStart;
  at_ = token_at_ = line_at_ = 0;
  is_head_ = false;
  request_.field_count_ = 0;
}

std::size_t RequestParser::limit() const noexcept {
  const bool in_line = state_ > State::kStartLf && state_ < State::kRequestLineLf;
  return in_line ? std::min(limits_.max_head, line_at_ + kRequestLineMax) : limits_.max_head;
}

Slice RequestParser::token() const noexcept {
  return {static_cast<std::uint16_t>(token_at_), static_cast<std::uint16_t>(at_ - token_at_)};
}

// The next state, for something that begins here.
void RequestParser::begin(State state) noexcept {
  state_ = state;
  token_at_ = at_;
}

RequestParser::Step RequestParser::step(std::string_view text) noexcept {
  if (at_ >= text.size()) return false;
  switch (state_) {
    case State::kStart:
      return read_start(text);
    case State::kStartLf:
      return read_lf(text, State::kStart);
    case State::kMethod:
      return read_method(text);
    case State::kTarget:
      return read_target(text);
    case State::kVersion:
      return read_version(text);
    case State::kRequestLineLf:
      return read_lf(text, State::kFieldStart);
    case State::kFieldStart:
      return read_field_start(text);
    case State::kName:
      return read_name(text);
    case State::kBlank:
      return read_blank(text);
    case State::kValue:
      return read_value(text);
    case State::kValueLf:
      return read_lf(text, State::kFieldStart);
    case State::kEndLf:
      return read_lf(text, State::kComplete);
    case State::kComplete:
      break;
  }
  return false;
}

RequestParser::Step RequestParser::read_start(std::string_view text) noexcept {
  if (text[at_] == '\r') {
    ++at_;
    state_ = State::kStartLf;
    return true;
  }
  line_at_ = at_;
  begin(State::kMethod);
  return true;
}

RequestParser::Step RequestParser::read_lf(std::string_view text, State next) noexcept {
  if (text[at_] != '\n') return fail(E::kBadLineEnd);
  ++at_;
  state_ = next;
  return true;
}

RequestParser::Step RequestParser::read_method(std::string_view text) noexcept {
  at_ += simd_.scan_token(text.data() + at_, text.size() - at_);
  if (at_ == text.size()) return false;
  if (text[at_] != ' ' || at_ == token_at_) return fail(E::kBadRequestLine);
  request_.method_ = token();
  is_head_ = request_.method() == "HEAD";
  ++at_;
  begin(State::kTarget);
  return true;
}

RequestParser::Step RequestParser::read_target(std::string_view text) noexcept {
  at_ += simd_.scan_target(text.data() + at_, text.size() - at_);
  if (at_ == text.size()) return false;
  if (text[at_] != ' ' || at_ == token_at_) return fail(E::kBadRequestLine);
  request_.target_ = token();
  ++at_;
  begin(State::kVersion);
  return true;
}

// At most nine bytes: "HTTP/1.1" and the CR.
RequestParser::Step RequestParser::read_version(std::string_view text) noexcept {
  constexpr std::string_view kShape = "HTTP/d.d\r";  // d: a digit
  for (; at_ < text.size(); ++at_) {
    const char expected = kShape[at_ - token_at_];
    const char c = text[at_];
    if (expected == 'd' ? c < '0' || c > '9' : c != expected) {
      return fail(expected == '\r' && c == '\n' ? E::kBadLineEnd : E::kBadVersion);
    }
    if (c == '\r') break;
  }
  if (at_ == text.size()) return false;
  if (text[token_at_ + 5] != '1') return fail(E::kUnsupportedVersion);
  // A higher minor version is answered as the highest that we know (RFC 9110 2.5).
  request_.minor_version_ = text[token_at_ + 7] == '0' ? 0 : 1;
  ++at_;
  state_ = State::kRequestLineLf;
  return true;
}

RequestParser::Step RequestParser::read_field_start(std::string_view text) noexcept {
  if (text[at_] == '\r') {
    ++at_;
    state_ = State::kEndLf;
    return true;
  }
  if (is_blank(text[at_])) return fail(E::kFoldedField);
  if (text[at_] == '\n') return fail(E::kBadLineEnd);
  if (request_.field_count_ == kFieldsMax) return fail(E::kTooManyFields);
  begin(State::kName);
  return true;
}

RequestParser::Step RequestParser::read_name(std::string_view text) noexcept {
  at_ += simd_.scan_token(text.data() + at_, text.size() - at_);
  if (at_ == text.size()) return false;
  if (text[at_] != ':' || at_ == token_at_) return fail(E::kBadFieldName);
  request_.fields_[request_.field_count_].name = token();
  ++at_;
  state_ = State::kBlank;
  return true;
}

RequestParser::Step RequestParser::read_blank(std::string_view text) noexcept {
  while (at_ < text.size() && is_blank(text[at_])) ++at_;
  if (at_ == text.size()) return false;
  begin(State::kValue);
  return true;
}

RequestParser::Step RequestParser::read_value(std::string_view text) noexcept {
  at_ += simd_.scan_value(text.data() + at_, text.size() - at_);
  if (at_ == text.size()) return false;
  if (text[at_] == '\n') return fail(E::kBadLineEnd);
  if (text[at_] != '\r') return fail(E::kBadFieldValue);
  Slice value = token();
  while (value.size > 0 && is_blank(text[value.at + value.size - 1u])) --value.size;
  request_.fields_[request_.field_count_++].value = value;
  ++at_;
  state_ = State::kValueLf;
  return true;
}

}  // namespace sluice::http
