#include "proto/api/reader.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>

namespace sluice::api {
namespace {

using Names = std::array<std::string_view, 1>;

// What reading the member `m` of `text` answers: its value, or what the refusal says.
std::string read(std::string_view text,
                 const std::function<std::string(Reader&, const Field&)>& take) {
  Scratch scratch;
  scratch.begin(text.size());
  Reader reader(scratch);
  const auto [field] = reader.object(text, Names{"m"});
  std::string value = take(reader, field);
  if (!reader.refusal()) return value;
  EXPECT_EQ(reader.refusal()->code, ErrorCode::kBadRequest);
  return "!" + std::string(reader.refusal()->member) + " " + std::string(reader.refusal()->detail) +
         (reader.refusal()->is_malformed ? "!" : "");
}

std::string text(std::string_view json, std::size_t bytes_max = 4) {
  return read(json, [&](Reader& r, const Field& f) { return std::string(r.text(f, bytes_max)); });
}

std::string required(std::string_view json) {
  return read(json, [](Reader& r, const Field& f) { return std::string(r.required_text(f, 4)); });
}

std::string bytes(std::string_view json) {
  return read(json, [](Reader& r, const Field& f) { return std::string(r.base64(f)); });
}

std::string flag(std::string_view json) {
  return read(json, [](Reader& r, const Field& f) {
    const auto value = r.optional_flag(f);
    return value ? std::string(*value ? "yes" : "no") : "-";
  });
}

template <class T>
std::string number(std::string_view json) {
  return read(json, [](Reader& r, const Field& f) { return std::to_string(r.number<T>(f)); });
}

std::string texts(std::string_view json) {
  return read(json, [](Reader& r, const Field& f) {
    std::string all;
    for (const auto one : r.texts(f, 3, 4)) all.append(one).append(";");
    return all;
  });
}

std::string tags(std::string_view json) {
  return read(json, [](Reader& r, const Field& f) {
    std::string all;
    for (const Tag& tag : r.tags(f, 2, 4))
      all.append(tag.name).append("=").append(tag.value) += ";";
    return all;
  });
}

std::string unsupported(std::string_view json) {
  return read(json, [](Reader& r, const Field& f) {
    r.unsupported(std::span<const Field, 1>(&f, 1));
    return std::string("fine");
  });
}

TEST(ApiReader, TakesOneObject) {
  EXPECT_EQ(text(" \n{ } "), "");
  for (const std::string_view json : {"", " ", "{", "{}x", "{\"m\":}", "nul", "{\"m\":01}"}) {
    EXPECT_EQ(text(json), "!the body is not valid JSON!") << json;
  }
  for (const std::string_view json : {"[]", "1", "null", " \"x\" ", "true"}) {
    EXPECT_EQ(text(json), "!the body is not an object!") << json;
  }
  EXPECT_EQ(text(R"({"m":"a","\u006d":"b"})"), "!a member stands twice");
  EXPECT_EQ(text(R"({"n":"a","n":"b","m":"c"})"), "c");
  const std::string deep = std::string(600, '[') + std::string(600, ']');
  EXPECT_EQ(text(R"({"m":"a","n":)" + deep + "}"), "!the body is nested too deep");
}

TEST(ApiReader, TakesText) {
  EXPECT_EQ(text(R"({"m":"abcd"})"), "abcd");
  EXPECT_EQ(text(R"({"\u006d":"\u0061b\n\u00e9"})"), "!m is too long");
  EXPECT_EQ(text(R"({"m":"\u0061\n\u00e9"})"), "a\n\u00e9");
  EXPECT_EQ(text(R"({"m":"\ud83d\ude00"})"), "\U0001f600");
  EXPECT_EQ(text(R"({"m":"abcde"})"), "!m is too long");
  EXPECT_EQ(text(R"({"m":"\ud83d"})"), "!m has half of a surrogate pair");
  EXPECT_EQ(text(R"({"m":null})"), "");
  for (const std::string_view json : {"1", "true", "[]", "{}", "[\"a\"]"}) {
    EXPECT_EQ(text("{\"m\":" + std::string(json) + "}"), "!m is not a string") << json;
  }
  EXPECT_EQ(required(R"({"m":"a"})"), "a");
  EXPECT_EQ(required(R"({"m":""})"), "!m is empty");
  EXPECT_EQ(required(R"({"m":null})"), "!m is missing");
  EXPECT_EQ(required("{}"), "!m is missing");
  EXPECT_EQ(required(R"({"m":7})"), "!m is not a string");
}

TEST(ApiReader, TakesBytes) {
  EXPECT_EQ(bytes(R"({"m":"Zm9v"})"), "foo");
  EXPECT_EQ(bytes(R"({"m":"\u005am9vYg=="})"), "foob");
  EXPECT_EQ(bytes(R"({"m":"\/\/\/\/"})"), "\xff\xff\xff");
  EXPECT_EQ(bytes(R"({"m":""})"), "");
  EXPECT_EQ(bytes("{}"), "");
  for (const std::string_view value : {"Zm9", "Zm9v\\n", "Zh==", "*", "\\u0000aaa"}) {
    EXPECT_EQ(bytes("{\"m\":\"" + std::string(value) + "\"}"), "!m is not Base64") << value;
  }
  EXPECT_EQ(bytes(R"({"m":1})"), "!m is not a string");
}

TEST(ApiReader, TakesFlags) {
  EXPECT_EQ(flag(R"({"m":true})"), "yes");
  EXPECT_EQ(flag(R"({"m":false})"), "no");
  EXPECT_EQ(flag(R"({"m":null})"), "-");
  EXPECT_EQ(flag("{}"), "-");
  for (const std::string_view value : {"1", "0", "\"true\"", "[]", "{}"}) {
    EXPECT_EQ(flag("{\"m\":" + std::string(value) + "}"), "!m is not true or false") << value;
  }
}

TEST(ApiReader, TakesNumbers) {
  EXPECT_EQ(number<std::uint64_t>(R"({"m":18446744073709551615})"), "18446744073709551615");
  EXPECT_EQ(number<std::uint64_t>(R"({"m":18446744073709551616})"), "!m is out of range");
  EXPECT_EQ(number<std::uint64_t>(R"({"m":-1})"), "!m is out of range");
  EXPECT_EQ(number<std::uint64_t>(R"({"m":-0})"), "0");
  EXPECT_EQ(number<std::uint64_t>("{}"), "0");
  EXPECT_EQ(number<std::uint16_t>(R"({"m":65535})"), "65535");
  EXPECT_EQ(number<std::uint16_t>(R"({"m":65536})"), "!m is out of range");
  EXPECT_EQ(number<std::int32_t>(R"({"m":-2147483647})"), "-2147483647");
  EXPECT_EQ(number<std::int32_t>(R"({"m":2147483647})"), "2147483647");
  EXPECT_EQ(number<std::int32_t>(R"({"m":-2147483649})"), "!m is out of range");
  EXPECT_EQ(number<std::int32_t>(R"({"m":2147483648})"), "!m is out of range");
  for (const std::string_view value : {"1.0", "1e3", "\"1\"", "true", "[1]", "{}", "\"\""}) {
    EXPECT_EQ(number<std::int32_t>("{\"m\":" + std::string(value) + "}"),
              "!m is not a whole number")
        << value;
  }
}

TEST(ApiReader, TakesLists) {
  EXPECT_EQ(texts(R"({"m":["a" , "\u0062", "abcd"]})"), "a;b;abcd;");
  EXPECT_EQ(texts(R"({"m":[]})"), "");
  EXPECT_EQ(texts("{}"), "");
  EXPECT_EQ(texts(R"({"m":["a","a","a","a"]})"), "!m has too many elements");
  EXPECT_EQ(texts(R"({"m":["a",""]})"), "!m has an empty element");
  EXPECT_EQ(texts(R"({"m":["abcde"]})"), "!m is too long");
  EXPECT_EQ(texts(R"({"m":["a",1]})"), "!m is not a string");
  EXPECT_EQ(texts(R"({"m":["a",null]})"), "!m is not a string");
  EXPECT_EQ(texts(R"({"m":"a"})"), "!m is not an array");
  EXPECT_EQ(texts(R"({"m":{}})"), "!m is not an array");
}

TEST(ApiReader, TakesTags) {
  EXPECT_EQ(tags(R"({"m":{"a":"1","\u0062":""}})"), "a=1;b=;");
  EXPECT_EQ(tags(R"({"m":{}})"), "");
  EXPECT_EQ(tags(R"({"m":{"a":"1","b":"2","c":"3"}})"), "!m has too many members");
  EXPECT_EQ(tags(R"({"m":{"a":"1","\u0061":"2"}})"), "!m has a member twice");
  EXPECT_EQ(tags(R"({"m":{"a":1}})"), "!m is not a string");
  EXPECT_EQ(tags(R"({"m":{"a":"12345"}})"), "!m is too long");
  EXPECT_EQ(tags(R"({"m":{"abcde":"1"}})"), "!m is too long");
  EXPECT_EQ(tags(R"({"m":[]})"), "!m is not an object");
}

TEST(ApiReader, TakesUsers) {
  const auto user = [](std::string_view json) {
    return read(json, [](Reader& r, const Field& f) {
      const UserId id = r.required_user(f);
      return id.is_empty() ? std::string() : std::string(id.channel().substr(1));
    });
  };
  EXPECT_EQ(user(R"({"m":"17"})"), "s17");
  EXPECT_EQ(user(R"({"m":1.7e1})"), "n17");
  EXPECT_EQ(user("{}"), "!m is missing");
  EXPECT_EQ(user(R"({"m":null})"), "!m is missing");
  for (const std::string_view value : {"\"\"", "1.5", "true", "[]", "\"\\ud800\""}) {
    EXPECT_EQ(user("{\"m\":" + std::string(value) + "}"),
              "!m is not a string of 1 to 256 bytes or an integer of 64 bits")
        << value;
  }
}

TEST(ApiReader, RefusesWhatWouldMeanSomething) {
  for (const std::string_view value :
       {"null", "false", "0", "-0", "0.00", "0e5", "\"\"", "[]", "{ }", "[\n]"}) {
    EXPECT_EQ(unsupported("{\"m\":" + std::string(value) + "}"), "fine") << value;
  }
  EXPECT_EQ(unsupported("{}"), "fine");
  for (const std::string_view value :
       {"true", "1", "0.1", "10", "-2e0", "\"a\"", "\" \"", "[0]", "{\"a\":1}"}) {
    EXPECT_EQ(unsupported("{\"m\":" + std::string(value) + "}"), "!m is not supported") << value;
  }
}

// The first refusal counts, and what is read behind it is harmless.
TEST(ApiReader, RemembersTheFirst) {
  Scratch scratch;
  scratch.begin(100);
  Reader reader(scratch);
  reader.refuse("a", "is first");
  reader.refuse("b", "is second");
  EXPECT_EQ(reader.refusal()->member, "a");
  EXPECT_EQ(reader.refusal()->detail, "is first");
}

// Everything in the body that has to be decoded fits beside it, whatever is in which order.
TEST(ApiReader, HasRoomForAllThatIsDecoded) {
  Scratch scratch;
  constexpr std::string_view kBody =
      R"({"a":"\n","b":"\u005am9v","c":["\n\n","\t"],"d":{"\n":"\r"},"e":"Zm9v","f":"\t"})";
  scratch.begin(kBody.size());
  Reader reader(scratch);
  const auto fields =
      reader.object(kBody, std::array<std::string_view, 6>{"a", "b", "c", "d", "e", "f"});
  const std::string_view a = reader.text(fields[0], 9);
  const std::string_view b = reader.base64(fields[1]);
  const auto c = reader.texts(fields[2], 9, 9);
  const auto d = reader.tags(fields[3], 9, 9);
  const std::string_view e = reader.base64(fields[4]);
  const std::string_view f = reader.text(fields[5], 9);
  ASSERT_FALSE(reader.refusal());
  EXPECT_EQ(a, "\n");
  EXPECT_EQ(b, "foo");
  ASSERT_EQ(c.size(), 2u);
  EXPECT_EQ(c[0], "\n\n");
  EXPECT_EQ(c[1], "\t");
  ASSERT_EQ(d.size(), 1u);
  EXPECT_EQ(d[0].name, "\n");
  EXPECT_EQ(d[0].value, "\r");
  EXPECT_EQ(e, "foo");
  EXPECT_EQ(f, "\t");
}

}  // namespace
}  // namespace sluice::api
