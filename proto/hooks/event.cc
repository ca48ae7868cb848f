#include "proto/hooks/event.h"

#include "proto/json/object.h"

namespace sluice::hooks {

void append_event(std::string& out, const Event& event, std::string_view id, std::int64_t time_ms) {
  json::Object object(out);
  object.text("id", id);
  object.text("type", kEventNames[static_cast<std::size_t>(event.type)]);
  object.number("time", time_ms);
  object.optional_text("client", event.client);
  object.optional_text("user", event.user);
  object.optional_text("dialect", event.dialect);
  object.optional_text("channel", event.channel);
  if (event.type != EventType::kDisconnected) return;
  object.number("code", event.code);
  object.text("initiator", event.initiator);
  object.text("cause", event.cause);
  object.number("duration_ms", event.duration_ms);
}

void append_delivery(std::string& out, const Delivery& delivery,
                     std::span<const std::string> events) {
  json::Object object(out);
  object.text("delivery", delivery.id);
  object.number("attempt", delivery.attempt);
  object.optional_number("lost", delivery.lost);
  json::append_array(object.member("events"), events,
                     [](std::string& to, const std::string& event) { to += event; });
}

}  // namespace sluice::hooks
