#include "proto/dialect/client_list.h"

#include <array>
#include <charconv>

#include "core/base/check.h"
#include "proto/json/text.h"

namespace sluice::dialect {
namespace {

constexpr std::string_view kHead = R"({"msg_type":"update_clients","clients":[)";
constexpr std::string_view kMore = R"(],"more":)";
constexpr std::size_t kTailBytesMax = kMore.size() + 20 + 1;  // a 64-bit number and a brace
static_assert(kHead.size() + kTailBytesMax <= 128, "an empty list fits the least bound");

}  // namespace

ClientListEncoder::ClientListEncoder(std::string& out, std::size_t bytes_max)
    : out_(out), bytes_max_(bytes_max) {
  SLUICE_CHECK(bytes_max >= 128);
  out_.assign(kHead);
}

void ClientListEncoder::add(std::string_view nickname) {
  if (left_out_ != 0) {
    ++left_out_;
    return;
  }
  const std::size_t size_before = out_.size();
  if (!is_first_) out_.push_back(',');
  json::append_string(out_, nickname.empty() ? kDefaultNickname : nickname);
  if (out_.size() + kTailBytesMax > bytes_max_) {
    out_.resize(size_before);
    ++left_out_;
  }
  is_first_ = false;
}

void ClientListEncoder::finish() {
  if (left_out_ == 0) {
    out_.append("]}");
    return;
  }
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), left_out_).ptr;
  out_.append(kMore).append(digits.data(), end);
  out_.push_back('}');
}

}  // namespace sluice::dialect
