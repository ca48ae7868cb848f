#include "proto/centrifuge/codes.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <string>

#include "proto/centrifuge/reply.h"

namespace sluice::centrifuge {
namespace {

TEST(CentrifugeCodes, ErrorsAreTheProtocols) {
  const auto row = [](const Error& error) {
    return std::to_string(error.code) + " " + std::string(error.message) +
           (error.is_temporary ? " temporary" : "");
  };
  EXPECT_EQ(row(errors::kInternal), "100 internal server error temporary");
  EXPECT_EQ(row(errors::kUnknownChannel), "102 unknown channel");
  EXPECT_EQ(row(errors::kPermissionDenied), "103 permission denied");
  EXPECT_EQ(row(errors::kMethodNotFound), "104 method not found");
  EXPECT_EQ(row(errors::kAlreadySubscribed), "105 already subscribed");
  EXPECT_EQ(row(errors::kLimitExceeded), "106 limit exceeded");
  EXPECT_EQ(row(errors::kBadRequest), "107 bad request");
  EXPECT_EQ(row(errors::kNotAvailable), "108 not available");
  EXPECT_EQ(row(errors::kTokenExpired), "109 token expired");
  EXPECT_EQ(row(errors::kExpired), "110 expired");
  EXPECT_EQ(row(errors::kUnrecoverablePosition), "112 unrecoverable position");
}

TEST(CentrifugeCodes, DisconnectsAreTheProtocols) {
  struct Row {
    Disconnect disconnect;
    std::uint16_t code;
    std::string_view reason;
  };
  const std::array rows = {
      Row{disconnects::kShutdown, 3001, "shutdown"},
      Row{disconnects::kInternal, 3004, "internal server error"},
      Row{disconnects::kConnectionExpired, 3005, "connection expired"},
      Row{disconnects::kSlow, 3008, "slow"},
      Row{disconnects::kInsufficientState, 3010, "insufficient state"},
      Row{disconnects::kNoPong, 3012, "no pong"},
      Row{disconnects::kInvalidToken, 3500, "invalid token"},
      Row{disconnects::kBadRequest, 3501, "bad request"},
      Row{disconnects::kStale, 3502, "stale"},
      Row{disconnects::kForceDisconnect, 3503, "force disconnect"},
      Row{disconnects::kChannelLimit, 3505, "channel limit"},
      Row{disconnects::kInappropriateProtocol, 3506, "inappropriate protocol"},
      Row{disconnects::kNotAvailable, 3508, "not available"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(row.disconnect.code, row.code);
    EXPECT_EQ(row.disconnect.reason, row.reason);
    EXPECT_FALSE(is_json_value(row.reason)) << row.reason;
    EXPECT_LE(row.reason.size(), 32u);
  }
}

TEST(CentrifugeCodes, UnsubscribesAreTheProtocols) {
  EXPECT_EQ(unsubscribes::kServer.code, 2000u);
  EXPECT_EQ(unsubscribes::kServer.reason, "server unsubscribe");
  EXPECT_EQ(unsubscribes::kInsufficientState.code, 2500u);
  EXPECT_EQ(unsubscribes::kInsufficientState.reason, "insufficient state");
  EXPECT_EQ(unsubscribes::kExpired.code, 2501u);
  EXPECT_EQ(unsubscribes::kExpired.reason, "subscription expired");
}

}  // namespace
}  // namespace sluice::centrifuge
