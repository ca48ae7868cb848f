#include "core/base/serial.h"

#include <gtest/gtest.h>

#include <vector>

namespace sluice::test {
namespace {

enum class Colour : std::uint8_t { kRed = 1, kBlue = 2 };

TEST(Serial, WhatWasWrittenIsRead) {
  std::vector<std::byte> saved;
  Writer out(saved);
  out.put(std::uint32_t{0x01020304});
  out.put(std::int64_t{-5});
  out.put(Colour::kBlue);
  out.put_bool(true);
  out.put_text("text");
  out.put_bytes({});
  out.put_raw(as_bytes("raw"));

  Reader in(saved);
  EXPECT_EQ(in.get<std::uint32_t>(), 0x01020304u);
  EXPECT_EQ(in.get<std::int64_t>(), -5);
  EXPECT_EQ(in.get<Colour>(), Colour::kBlue);
  EXPECT_TRUE(in.get_bool());
  EXPECT_EQ(in.get_text(), "text");
  EXPECT_TRUE(in.get_bytes().empty());
  EXPECT_EQ(as_text(in.get_raw(3)), "raw");
  EXPECT_TRUE(in.ok());
  EXPECT_TRUE(in.rest().empty());
}

TEST(Serial, NumbersAreLittleEndian) {
  std::vector<std::byte> saved;
  Writer(saved).put(std::uint16_t{0x0102});
  EXPECT_EQ(saved, (std::vector<std::byte>{std::byte{2}, std::byte{1}}));
}

TEST(Serial, AShortInputFailsAndStaysFailed) {
  std::vector<std::byte> saved;
  Writer(saved).put(std::uint16_t{7});
  Reader in(saved);
  EXPECT_EQ(in.get<std::uint32_t>(), 0u);
  EXPECT_FALSE(in.ok());
  EXPECT_EQ(in.get<std::uint8_t>(), 0u);
  EXPECT_FALSE(in.ok());
}

TEST(Serial, ALengthBeyondTheInputFails) {
  std::vector<std::byte> saved;
  Writer(saved).put(std::uint32_t{0xffffffff});
  Reader in(saved);
  EXPECT_TRUE(in.get_text().empty());
  EXPECT_FALSE(in.ok());
}

TEST(Serial, OnlyZeroAndOneAreBooleans) {
  std::vector<std::byte> saved{std::byte{2}};
  Reader in(saved);
  EXPECT_FALSE(in.get_bool());
  EXPECT_FALSE(in.ok());
}

}  // namespace
}  // namespace sluice::test
