#include "gateway/history_answer.h"

#include <cstring>

#include "core/base/check.h"
#include "core/base/serial.h"

namespace sluice {

Payload& HistoryAnswer::pack(PayloadPool& pool, std::span<const ConstBytes> all) const {
  std::vector<std::byte> bytes;
  Writer out(bytes);
  out.put(position.epoch);
  out.put(position.offset);
  out.put_bool(is_complete);
  out.put(static_cast<std::uint32_t>(all.size()));
  for (const ConstBytes message : all) out.put_bytes(message);
  Payload& payload = pool.make(bytes.size());
  std::memcpy(PayloadPool::writable(payload).data(), bytes.data(), bytes.size());
  return payload;
}

HistoryAnswer HistoryAnswer::unpack(ConstBytes bytes) {
  Reader in(bytes);
  HistoryAnswer answer;
  answer.position.epoch = in.get<std::uint64_t>();
  answer.position.offset = in.get<std::uint64_t>();
  answer.is_complete = in.get_bool();
  const auto count = in.get<std::uint32_t>();
  answer.messages.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) answer.messages.push_back(in.get_bytes());
  SLUICE_CHECK(in.ok());
  return answer;
}

}  // namespace sluice
