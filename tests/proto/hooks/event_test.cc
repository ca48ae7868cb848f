#include "proto/hooks/event.h"

#include <gtest/gtest.h>

#include <vector>

namespace sluice::hooks {
namespace {

std::string said(const Event& event) {
  std::string out;
  append_event(out, event, "e1", 1700000000123);
  return out;
}

TEST(HookEvent, SaysWhoCameAndWentAndWhy) {
  Event event{EventType::kConnected, "id", "42", "chat"};
  EXPECT_EQ(said(event), R"({"id":"e1","type":"connected","time":1700000000123,"client":"id",)"
                         R"("user":"42","dialect":"chat"})");
  event.type = EventType::kDisconnected;
  event.user = {};
  event.code = 1001;
  event.initiator = "server";
  event.cause = "shutdown";
  event.duration_ms = 12;
  EXPECT_EQ(said(event), R"({"id":"e1","type":"disconnected","time":1700000000123,"client":"id",)"
                         R"("dialect":"chat","code":1001,"initiator":"server","cause":"shutdown",)"
                         R"("duration_ms":12})");
}

TEST(HookEvent, SaysWhichChannelIsMeant) {
  Event event;
  event.type = EventType::kOccupied;
  event.channel = "a\"b";
  EXPECT_EQ(said(event),
            R"({"id":"e1","type":"channel_occupied","time":1700000000123,"channel":"a\"b"})");
  event.type = EventType::kVacated;
  event.channel = {};
  event.user = "U";
  EXPECT_EQ(said(event), R"({"id":"e1","type":"channel_vacated","time":1700000000123,"user":"U"})");
}

TEST(HookEvent, ADeliveryHasAnIdAndANumber) {
  std::string out;
  const std::vector<std::string> events = {"1", "2"};
  append_delivery(out, {"d", 3, 4}, events);
  append_delivery(out, {"d", 1, 0}, std::span(events).first(1));
  EXPECT_EQ(out, R"({"delivery":"d","attempt":3,"lost":4,"events":[1,2]})"
                 R"({"delivery":"d","attempt":1,"events":[1]})");
}

}  // namespace
}  // namespace sluice::hooks
