// What an application server is told after it has happened: events, and the body of the request
// that brings some of them.
//
//   {"delivery":"<uuid>","attempt":1,"events":[
//     {"id":"<uuid>","type":"connected","time":1700000000123,"client":"<uuid>","user":"42",
//      "dialect":"chat"},
//     {"id":"<uuid>","type":"disconnected",...,"code":1001,"initiator":"server","cause":"shutdown",
//      "duration_ms":1234},
//     {"id":"<uuid>","type":"channel_occupied","time":1700000000123,"channel":"news"},
//     {"id":"<uuid>","type":"channel_vacated","time":1700000000123,"user":"42"}]}
//
// The channel that reaches one user is called by the user. `lost` beside `attempt` says how many
// events were given up since the last delivery that was taken.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace sluice::hooks {

enum class EventType : std::uint8_t { kConnected, kDisconnected, kOccupied, kVacated };
inline constexpr std::array<std::string_view, 4> kEventNames = {
    "connected", "disconnected", "channel_occupied", "channel_vacated"};

// Of a connection or of a channel. Texts are valid UTF-8; empty ones are left out.
struct Event {
  EventType type = EventType::kConnected;
  std::string_view client = {};
  std::string_view user = {};
  std::string_view dialect = {};
  std::string_view channel = {};
  // Of kDisconnected.
  std::uint16_t code = 0;  // close code
  std::string_view initiator = {};
  std::string_view cause = {};
  std::uint64_t duration_ms = 0;
};

// Appends the event as JSON. `time_ms`: since 1970.
void append_event(std::string& out, const Event& event, std::string_view id, std::int64_t time_ms);

struct Delivery {
  std::string_view id = {};
  std::uint32_t attempt = 1;
  std::uint64_t lost = 0;
};

// Appends the body that brings these events, at least one, each as append_event wrote it.
void append_delivery(std::string& out, const Delivery& delivery,
                     std::span<const std::string> events);

}  // namespace sluice::hooks
