#include "gateway/dialects/dialects.h"
#include "gateway/session.h"

namespace sluice {

void EchoDialect::on_open(Session& session) noexcept { session.complete_opening(); }

void EchoDialect::on_text(Session& session, Bytes text, std::size_t rest) noexcept {
  session.send_message(ws::Opcode::kText, text, rest);
}

void EchoDialect::on_binary(Session& session, Bytes data, std::size_t rest) noexcept {
  session.send_message(ws::Opcode::kBinary, data, rest);
}

void EchoDialect::on_joined(Session&, const Joined&) noexcept {}
void EchoDialect::on_join_failed(Session&, std::string_view) noexcept {}
void EchoDialect::on_deadline(Session&, Time) noexcept {}

std::size_t EchoDialect::encode_gap(Bytes out, std::uint64_t missed) noexcept {
  return encode_gap_frame(out, missed);
}

}  // namespace sluice
