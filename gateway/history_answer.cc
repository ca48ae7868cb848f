#include "gateway/history_answer.h"

#include "core/base/check.h"
#include "core/base/serial.h"

namespace sluice {

void HistoryAnswer::pack(std::vector<std::byte>& out) const {
  Writer writer(out);
  writer.put(position.epoch);
  writer.put(position.offset);
  writer.put_bool(is_complete);
  writer.put_bool(is_known);
  writer.put(static_cast<std::uint32_t>(items.size()));
  for (const Item& item : items) {
    writer.put(item.offset);
    writer.put(item.publication.frame_at);
    writer.put_bytes(item.publication.bytes);
  }
}

HistoryAnswer HistoryAnswer::unpack(ConstBytes bytes) {
  Reader in(bytes);
  HistoryAnswer answer;
  answer.position.epoch = in.get<std::uint64_t>();
  answer.position.offset = in.get<std::uint64_t>();
  answer.is_complete = in.get_bool();
  answer.is_known = in.get_bool();
  const auto count = in.get<std::uint32_t>();
  answer.items.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    Item item;
    item.offset = in.get<std::uint64_t>();
    item.publication.frame_at = in.get<std::uint16_t>();
    item.publication.bytes = in.get_bytes();
    answer.items.push_back(item);
  }
  SLUICE_CHECK(in.ok());
  return answer;
}

}  // namespace sluice
