#include "gateway/dialect.h"

#include "core/payload.h"
#include "gateway/session.h"

namespace sluice {

void Dialect::on_gap(Session& session, std::string_view, std::uint64_t missed) noexcept {
  session.write_gap(missed);
}

void Dialect::ping(Session& session) noexcept { session.write_ping(); }

Farewell Dialect::farewell(Cause cause) const noexcept {
  const CauseInfo& info = describe(cause);
  return {info.code, info.text};
}

Payload* Dialect::translate(const Publication& publication, Position,
                            const ChannelOptions&) noexcept {
  PayloadPool::refer(*publication.payload);
  return publication.payload;
}

}  // namespace sluice
