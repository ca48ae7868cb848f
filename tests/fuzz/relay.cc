// Messages of the relay: who it is from and who it is for, and what is acknowledged.
#include "proto/dialect/relay.h"

#include <array>
#include <string>
#include <string_view>

#include "core/base/check.h"
#include "proto/json/scan.h"
#include "proto/json/text.h"
#include "proto/ws/utf8.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/json_judge.h"

namespace sluice::fuzz {
namespace {

// An id survives as a channel's name, and that name can be no client's text.
void check_id(const UserId& id) {
  UserId back;
  SLUICE_CHECK(back.restore(id.channel()) && back == id);
  SLUICE_CHECK(id.channel().front() == kReservedPrefix);
  SLUICE_CHECK(id.channel().size() <= UserId::kBytesMax && !id.text().empty());
  SLUICE_CHECK(ws::is_valid_utf8(as_bytes(id.text())));
}

// A message with its mid is JSON that says this mid and no other, whatever the message was.
void check_mid(std::string_view message) {
  constexpr dialect::Mid kMid{17, 3};
  constexpr std::array<std::string_view, 1> kNames = {"mid"};
  std::string numbered;
  dialect::append_with_mid(numbered, message, kMid);
  std::array<json::Member, 1> members;
  const auto scanned = json::scan(numbered, kNames, members);
  if (!scanned) {  // what was as deep as may be, and is one deeper
    SLUICE_CHECK(scanned.error() == json::Fault::kTooDeep && numbered.size() > json::kDepthMax);
    return;
  }
  SLUICE_CHECK(json::equals(members[0], "17-3"));
}

void check_ack(std::string_view text) {
  const auto mid = dialect::parse_ack(text);
  if (!mid || !*mid) return;
  std::string written;
  dialect::append_mid(written, **mid);
  SLUICE_CHECK(dialect::parse_mid(written) == *mid);
}

}  // namespace

void relay(ConstBytes input) {
  const ExactCopy copy(input);
  UserId restored;
  if (restored.restore(copy.text())) SLUICE_CHECK(restored.channel() == copy.text());
  if (!ws::is_valid_utf8(copy.bytes())) return;
  check_mid(copy.text());
  const auto command = dialect::parse_relay(copy.text());
  check_acceptance(copy.text(), command ? std::nullopt : std::optional(command.error().code));
  if (!command || command->kind == dialect::RelayCommand::Kind::kIgnored) return;
  if (command->kind == dialect::RelayCommand::Kind::kAcknowledge) return check_ack(copy.text());
  if (command->kind == dialect::RelayCommand::Kind::kSend) check_id(command->to);
  if (command->kind == dialect::RelayCommand::Kind::kAccept) SLUICE_CHECK(!command->own.is_empty());
  if (!command->own.is_empty()) check_id(command->own);
}

}  // namespace sluice::fuzz
