#include "proto/json/fields.h"

#include "core/base/check.h"
#include "proto/json/text.h"

namespace sluice::json {

void Fields::text(const Member& member, std::string_view& value) {
  if (is_default(member)) return;
  if (member.kind != Kind::kString) {
    is_ok_ = false;
    return;
  }
  if (!member.is_escaped) {
    value = member.raw;
    return;
  }
  if (room_size_ < text_size_) {
    SLUICE_DCHECK(used_ == 0);
    room_ = std::make_unique<char[]>(text_size_);
    room_size_ = text_size_;
  }
  // No escape stands for more bytes than it takes, so the strings of a text fit into its size.
  const auto decoded =
      decode(member, {room_.get() + used_, text_size_ - used_}, LoneSurrogate::kReplace);
  SLUICE_CHECK(decoded.has_value());
  used_ += decoded->size();
  value = *decoded;
}

void Fields::boolean(const Member& member, bool& value) noexcept {
  if (is_default(member)) return;
  const bool is_true = member.raw == "true";
  if (member.kind != Kind::kOther || (!is_true && member.raw != "false")) {
    is_ok_ = false;
    return;
  }
  value = is_true;
}

void Fields::object(const Member& member, std::string_view& value) noexcept {
  if (is_default(member)) return;
  if (is_object(member)) {
    value = member.raw;
  } else {
    is_ok_ = false;
  }
}

void Fields::raw(const Member& member, std::string_view& value) noexcept {
  if (member.kind == Kind::kAbsent) return;
  value = member.raw;
  if (member.kind == Kind::kString) value = {member.raw.data() - 1, member.raw.size() + 2};
}

}  // namespace sluice::json
