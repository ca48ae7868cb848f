#include "gateway/control.h"

#include <algorithm>

#include "core/base/check.h"
#include "core/base/serial.h"

namespace sluice {

bool Control::concerns(std::string_view client_id) const noexcept {
  if (!client.empty() && client != client_id) return false;
  return std::find(keep.begin(), keep.end(), client_id) == keep.end();
}

void Control::pack(std::vector<std::byte>& out) const {
  Writer writer(out);
  writer.put(kind);
  writer.put_text(client);
  writer.put(static_cast<std::uint32_t>(keep.size()));
  for (const std::string_view kept : keep) writer.put_text(kept);
  writer.put_text(channel);
  writer.put(code);
  writer.put_text(reason);
  writer.put_text(info);
  writer.put(expire_at);
  writer.put_bool(is_expired);
  writer.put_text(data);
  for (const auto& value :
       {overrides.presence, overrides.join_leave, overrides.force_push_join_leave}) {
    writer.put_bool(value.has_value());
    writer.put_bool(value.value_or(false));
  }
  writer.put_bool(since.has_value());
  writer.put(since.value_or(Position{}).epoch);
  writer.put(since.value_or(Position{}).offset);
}

Control Control::unpack(std::string_view packed) {
  Reader in(as_bytes(packed));
  Control control;
  control.kind = in.get<Kind>();
  control.client = in.get_text();
  const auto kept = in.get<std::uint32_t>();
  for (std::uint32_t i = 0; i < kept && in.ok(); ++i) control.keep.push_back(in.get_text());
  control.channel = in.get_text();
  control.code = in.get<std::uint32_t>();
  control.reason = in.get_text();
  control.info = in.get_text();
  control.expire_at = in.get<std::int64_t>();
  control.is_expired = in.get_bool();
  control.data = in.get_text();
  for (auto* value : {&control.overrides.presence, &control.overrides.join_leave,
                      &control.overrides.force_push_join_leave}) {
    const bool is_set = in.get_bool();
    const bool is_on = in.get_bool();
    if (is_set) *value = is_on;
  }
  const bool is_since = in.get_bool();
  const auto epoch = in.get<std::uint64_t>();
  const auto offset = in.get<std::uint64_t>();
  if (is_since) control.since = Position{epoch, offset};
  SLUICE_CHECK(in.ok());
  return control;
}

}  // namespace sluice
