#include "bench/ws_flood/messages.h"

#include <cstring>

#include "core/base/check.h"
#include "core/base/random.h"

namespace sluice::flood {
namespace {

constexpr std::size_t kPatternStarts = 4096;
constexpr std::uint64_t kPatternSeed = 20260;
constexpr int kIdDigits = 4;

constexpr std::string_view kChatBefore = R"({"msg_type":"message","nickname":"flood","message":")";
constexpr std::string_view kJsonAfter = R"("})";

std::string relay_before(const std::string& to, const std::string& from) {
  return R"({"msg_type":"send_","to_user":")" + to + R"(","from_user":")" + from +
         R"(","message":")";
}

// Fixed width: every sender's envelope has the same size.
std::string digits(std::uint64_t value, int count) {
  std::string text;
  for (int i = count - 1; i >= 0; --i) text += digit(value >> (6 * i));
  return text;
}

std::string make_pattern(std::size_t size) {
  Random random(kPatternSeed);
  std::string pattern(size, ' ');
  for (char& c : pattern) c = digit(random.next());
  return pattern;
}

}  // namespace

Messages::Messages(const Options& options, std::uint64_t run)
    : size_(options.size),
      senders_(options.connections),
      run_(digits(run, kIdDigits)),
      pattern_(make_pattern(options.size + kPatternStarts)) {
  if (options.scenario == Scenario::kChat) {
    befores_ = kChatBefore;
    after_ = kJsonAfter;
  } else if (options.scenario == Scenario::kRelay) {
    for (std::uint32_t i = 0; i < senders_; ++i) befores_ += relay_before(id_of(i ^ 1u), id_of(i));
    before_stride_ = befores_.size() / senders_;
    after_ = kJsonAfter;
  }
  before_size_ = before_stride_ != 0 ? before_stride_ : befores_.size();
  if (options.scenario == Scenario::kIdle) return;  // nothing is sent
  SLUICE_CHECK(size_ >= before_size_ + kStampSize + after_.size());
  filling_size_ = size_ - before_size_ - kStampSize - after_.size();
}

std::size_t Messages::smallest_size(Scenario scenario) {
  switch (scenario) {
    case Scenario::kIdle:
      return 0;
    case Scenario::kEcho:
      return kStampSize;
    case Scenario::kChat:
      return kChatBefore.size() + kStampSize + kJsonAfter.size();
    case Scenario::kRelay:
      break;
  }
  const std::string id = "flood-" + digits(0, kIdDigits) + "-" + digits(0, kIdDigits);
  return relay_before(id, id).size() + kStampSize + kJsonAfter.size();
}

void Messages::write(char* to, const Stamp& stamp) const noexcept {
  const std::string_view envelope = before(stamp.sender);
  std::memcpy(to, envelope.data(), envelope.size());
  to += envelope.size();
  write_stamp(to, stamp);
  to += kStampSize;
  std::memcpy(to, filling(stamp), filling_size_);
  std::memcpy(to + filling_size_, after_.data(), after_.size());
}

bool Messages::read(std::string_view message, Stamp& stamp) const noexcept {
  if (message.size() != size_) return false;
  if (!read_stamp(message.data() + before_size_, stamp) || stamp.sender >= senders_) return false;
  if (!message.starts_with(before(stamp.sender)) || !message.ends_with(after_)) return false;
  const char* filled = message.data() + before_size_ + kStampSize;
  return std::memcmp(filled, filling(stamp), filling_size_) == 0;
}

std::string Messages::naming(std::uint32_t connection) const {
  return R"({"msg_type":"accept_","toy_id":")" + id_of(connection) + kJsonAfter.data();
}

std::string Messages::to_itself(std::uint32_t connection) const {
  return relay_before(id_of(connection), id_of(connection)) + "named" + kJsonAfter.data();
}

std::string Messages::id_of(std::uint32_t connection) const {
  return "flood-" + run_ + "-" + digits(connection, kIdDigits);
}

std::string_view Messages::before(std::uint32_t sender) const noexcept {
  return std::string_view(befores_).substr(sender * before_stride_, before_size_);
}

const char* Messages::filling(const Stamp& stamp) const noexcept {
  return pattern_.data() + mix(stamp.sender, stamp.sequence) % kPatternStarts;
}

}  // namespace sluice::flood
