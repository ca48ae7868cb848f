#include "gateway/presence_entry.h"

#include <cstdint>
#include <cstring>

#include "core/base/check.h"
#include "core/base/serial.h"

namespace sluice {
namespace {

void put(std::string& out, std::string_view text) {
  const auto size = static_cast<std::uint32_t>(text.size());
  char raw[sizeof(size)];
  std::memcpy(raw, &size, sizeof(size));
  out.append(raw, sizeof(raw)).append(text);
}

}  // namespace

void PresenceEntry::pack(std::string& out) const {
  out.assign({static_cast<char>(is_listed), static_cast<char>(is_announced)});
  for (const std::string_view text : {client, user, connection_info, channel_info, nickname}) {
    put(out, text);
  }
}

PresenceEntry PresenceEntry::unpack(std::string_view packed) noexcept {
  Reader in(as_bytes(packed));
  PresenceEntry entry;
  entry.is_listed = in.get_bool();
  entry.is_announced = in.get_bool();
  for (std::string_view* text :
       {&entry.client, &entry.user, &entry.connection_info, &entry.channel_info, &entry.nickname}) {
    *text = in.get_text();
  }
  SLUICE_CHECK(in.ok());
  return entry;
}

std::vector<PresenceEntry> PresenceEntry::unpack_all(const Payload* packed) {
  std::vector<PresenceEntry> entries;
  if (packed == nullptr) return entries;
  Reader in(packed->bytes);
  while (!in.rest().empty()) entries.push_back(unpack(in.get_text()));
  return entries;
}

}  // namespace sluice
