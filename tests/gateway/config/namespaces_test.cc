#include "gateway/config/namespaces.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

using Texts = std::vector<std::string>;

TEST(Namespaces, AChannelIsAUsersByItsReservedPrefix) {
  Namespaces namespaces;
  namespaces.of(Namespace::kUser).slow_consumer = SlowConsumer::kDropOldest;
  namespaces.of(Namespace::kChat).slow_consumer = SlowConsumer::kDropNewest;
  EXPECT_EQ(namespaces.of_channel("\xffsU1").slow_consumer, SlowConsumer::kDropOldest);
  EXPECT_EQ(namespaces.of_channel("\xffn17").slow_consumer, SlowConsumer::kDropOldest);
  EXPECT_EQ(namespaces.of_channel("chat").slow_consumer, SlowConsumer::kDropNewest);
  EXPECT_EQ(namespaces.of_channel("").slow_consumer, SlowConsumer::kDropNewest);
}

TEST(Namespaces, DisconnectSlowConsumersUnlessToldOtherwise) {
  Namespaces namespaces;
  EXPECT_EQ(namespaces.slow_consumers(), (Texts{"chat=disconnect", "user=disconnect"}));
  EXPECT_EQ(namespaces.set_slow_consumers(Texts{"user=drop-newest"}), std::nullopt);
  EXPECT_EQ(namespaces.slow_consumers(), (Texts{"chat=disconnect", "user=drop-newest"}));
  EXPECT_EQ(namespaces.set_slow_consumers(Texts{"chat=drop-oldest"}), std::nullopt);
  EXPECT_EQ(namespaces.slow_consumers(), (Texts{"chat=drop-oldest", "user=disconnect"}));
}

TEST(Namespaces, WhatCannotBeReadChangesNothingAndSaysWhatCould) {
  Namespaces namespaces;
  const auto fault = [&](const Texts& settings) {
    return namespaces.set_slow_consumers(settings).value_or("none");
  };
  EXPECT_EQ(fault({"drop-oldest"}),
            "cannot read 'drop-oldest': write a namespace and a policy, such as chat=drop-oldest");
  EXPECT_EQ(fault({"room=drop-oldest"}),
            "cannot read 'room=drop-oldest': the namespaces are chat and user");
  EXPECT_EQ(fault({"=drop-oldest"}),
            "cannot read '=drop-oldest': the namespaces are chat and user");
  EXPECT_EQ(fault({"chat=drop"}),
            "cannot read 'chat=drop': choose disconnect, drop-oldest or drop-newest");
  EXPECT_EQ(fault({"chat="}), "cannot read 'chat=': choose disconnect, drop-oldest or drop-newest");
  EXPECT_EQ(fault({"chat=drop-oldest", "chat=drop-newest"}),
            "cannot read 'chat=drop-newest': the namespace has a policy already: name it once");
  EXPECT_EQ(namespaces.slow_consumers(), (Texts{"chat=disconnect", "user=disconnect"}));
}

}  // namespace
}  // namespace sluice
