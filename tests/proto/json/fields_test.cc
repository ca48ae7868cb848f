#include "proto/json/fields.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice::json {
namespace {

// One member of a text and the reader that takes it.
class Value {
 public:
  explicit Value(std::string_view json) : text_(R"({"v":)" + std::string(json) + "}") { scan(); }
  static Value absent() {
    Value value("0");
    value.text_ = "{}";
    value.scan();
    return value;
  }

  Fields& fields() {
    fields_.reset(text_.size());
    return fields_;
  }
  const Member& member() const { return members_[0]; }

  template <class T>
  std::optional<T> integer() {
    T value = 77;
    fields().integer(member(), value);
    return fields_.is_ok() ? std::optional(value) : std::nullopt;
  }
  std::optional<std::string> text() {
    std::string_view value = "default";
    fields().text(member(), value);
    return fields_.is_ok() ? std::optional(std::string(value)) : std::nullopt;
  }
  std::optional<bool> boolean(bool value) {
    fields().boolean(member(), value);
    return fields_.is_ok() ? std::optional(value) : std::nullopt;
  }
  std::optional<std::string> object() {
    std::string_view value;
    fields().object(member(), value);
    return fields_.is_ok() ? std::optional(std::string(value)) : std::nullopt;
  }
  std::string raw() {
    std::string_view value;
    fields().raw(member(), value);
    EXPECT_TRUE(fields_.is_ok());
    return std::string(value);
  }

 private:
  void scan() {
    static constexpr std::array<std::string_view, 1> kNames = {"v"};
    EXPECT_TRUE(json::scan(text_, kNames, members_)) << text_;
  }

  std::string text_;
  std::array<Member, 1> members_;
  Fields fields_;
};

TEST(JsonFields, LeaveTheDefaultWhereNothingIsSaid) {
  for (const bool is_absent : {true, false}) {
    const auto value = [&] { return is_absent ? Value::absent() : Value("null"); };
    EXPECT_EQ(value().integer<int>(), 77);
    EXPECT_EQ(value().text(), "default");
    EXPECT_EQ(value().boolean(true), true);
    EXPECT_EQ(value().boolean(false), false);
    EXPECT_EQ(value().object(), "");
  }
  EXPECT_EQ(Value::absent().raw(), "");
  EXPECT_EQ(Value("null").raw(), "null");
}

TEST(JsonFields, TakeIntegersOfDigitsThatFit) {
  EXPECT_EQ(Value("4294967295").integer<std::uint32_t>(), 4294967295u);
  EXPECT_EQ(Value("0").integer<std::uint32_t>(), 0u);
  EXPECT_EQ(Value("18446744073709551615").integer<std::uint64_t>(), UINT64_MAX);
  EXPECT_EQ(Value("-2147483648").integer<std::int32_t>(), INT32_MIN);
  EXPECT_EQ(Value("-1").integer<std::int64_t>(), -1);
  for (const std::string_view json : {"4294967296", "-1", "-0", "1.0", "1e2", "1.5", R"("1")",
                                      "true", "[]", "{}", "99999999999999999999999"}) {
    EXPECT_EQ(Value(json).integer<std::uint32_t>(), std::nullopt) << json;
  }
  EXPECT_EQ(Value("2147483648").integer<std::int32_t>(), std::nullopt);
  EXPECT_EQ(Value("18446744073709551616").integer<std::uint64_t>(), std::nullopt);
  EXPECT_EQ(Value("-9223372036854775809").integer<std::int64_t>(), std::nullopt);
}

TEST(JsonFields, TakeStringsBooleansAndObjectsOnlyAsSuch) {
  EXPECT_EQ(Value(R"("a\u0041\n")").text(), "aA\n");
  EXPECT_EQ(Value(R"("\ud800")").text(), "\xef\xbf\xbd");
  EXPECT_EQ(Value(R"("")").text(), "");
  EXPECT_EQ(Value("true").boolean(false), true);
  EXPECT_EQ(Value("false").boolean(true), false);
  EXPECT_EQ(Value(R"({"a":[1]})").object(), R"({"a":[1]})");
  for (const std::string_view json : {"1", "[]", R"([{}])"}) {
    EXPECT_EQ(Value(json).text(), std::nullopt) << json;
    EXPECT_EQ(Value(json).boolean(true), std::nullopt) << json;
    EXPECT_EQ(Value(json).object(), std::nullopt) << json;
  }
  EXPECT_EQ(Value(R"("true")").boolean(true), std::nullopt);
  EXPECT_EQ(Value(R"("{}")").object(), std::nullopt);
  EXPECT_EQ(Value("true").text(), std::nullopt);
  EXPECT_EQ(Value("{}").text(), std::nullopt);
  EXPECT_EQ(Value("true").object(), std::nullopt);
}

TEST(JsonFields, TakeRawValuesAsTheyStand) {
  for (const std::string_view json :
       {"1e400", "true", R"("a\u0041")", R"("")", R"({"x": 1})", "[ ]", "null"}) {
    EXPECT_EQ(Value(json).raw(), json);
  }
}

TEST(JsonFields, StayFaultyUntilTheNextText) {
  Value value("[]");
  Fields& fields = value.fields();
  int integer = 0;
  fields.integer(value.member(), integer);
  std::string_view raw;
  fields.raw(value.member(), raw);
  EXPECT_FALSE(fields.is_ok());
  fields.reset(1);
  EXPECT_TRUE(fields.is_ok());
}

// The room is that of the text: strings that are all escapes fill the most of it.
TEST(JsonFields, HoldAllStringsOfATextAtOnce) {
  const std::string text = R"({"a":"\n\u0041","b":"\ud83d\ude00","c":"\ud800\ud800"})";
  static constexpr std::array<std::string_view, 3> kNames = {"a", "b", "c"};
  std::array<Member, 3> members;
  ASSERT_TRUE(scan(text, kNames, members));
  Fields fields;
  for (int round = 0; round < 2; ++round) {
    fields.reset(text.size());
    std::array<std::string_view, 3> values;
    for (std::size_t i = 0; i < 3; ++i) fields.text(members[i], values[i]);
    EXPECT_EQ(values[0], "\nA");
    EXPECT_EQ(values[1], "\xf0\x9f\x98\x80");
    EXPECT_EQ(values[2], "\xef\xbf\xbd\xef\xbf\xbd");
  }
}

}  // namespace
}  // namespace sluice::json
