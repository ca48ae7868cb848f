// Commands of the server API in lines.
#include "proto/api/lines.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>

namespace sluice::api {
namespace {

// What is read of exactly these bytes, a command a line.
std::string said(std::string_view text) {
  const auto copy = std::make_unique<char[]>(text.size());
  std::copy(text.begin(), text.end(), copy.get());
  const std::string_view body(copy.get(), text.size());
  const auto count = count_lines(body);
  if (!count) return "malformed";
  std::string all;
  std::size_t read = 0;
  LineWalk walk(body);
  for (; const auto command = walk.next(); ++read) {
    if (!all.empty()) all += '\n';
    if (*command) {
      all.append(name((*command)->method)).append(" ").append((*command)->body);
    } else {
      all += "!" + std::to_string(static_cast<int>(command->error().code));
    }
  }
  EXPECT_EQ(read, *count) << text;
  EXPECT_FALSE(walk.next()) << "the end stays the end";
  return all;
}

TEST(ApiLines, HaveAMethodAndItsParameters) {
  EXPECT_EQ(said(R"({"method":"publish","params":{"a":[1]}})"), R"(publish {"a":[1]})");
  EXPECT_EQ(said("{\"method\":\"info\"}\n"), "info {}");
  EXPECT_EQ(said(R"({"params":null,"id":7,"method":"i\u006efo"})"), "info {}");
  EXPECT_EQ(said(R"({"method":"info","params":"x"})"), R"(info "x")") << "is refused when read";
  EXPECT_EQ(said("\n\r\n{\"method\":\"info\"}\r\n \t\n{\"method\":\"history\",\"params\":{ }}"),
            "info {}\nhistory { }");
}

TEST(ApiLines, MayBeOneObjectOverSeveral) {
  EXPECT_EQ(said("\n{\n \"method\": \"info\",\n \"params\": {\n}\n}\n"), "info {\n}");
}

TEST(ApiLines, AreRefusedOneByOne) {
  EXPECT_EQ(said("{\"method\":\"info\"}\n{}\n{\"method\":\"batch\"}\n{\"method\":7}\n"
                 "{\"method\":\"Info\"}\n{\"method\":\"info\",\"method\":\"info\"}\n"
                 "{\"method\":\"info\"}"),
            "info {}\n!104\n!104\n!104\n!104\n!107\ninfo {}");
}

TEST(ApiLines, AreObjectsAllOfThem) {
  for (const std::string_view body :
       {"", "\n", " \r\n\t", "[]", "7", "{", "{}{}", "{}\n[]", "{}\n{", "{}\n\"\xff\"", "{}\n,"}) {
    EXPECT_EQ(said(body), "malformed") << body;
  }
  const std::string deep(600, '[');
  EXPECT_EQ(said("{\"a\":" + deep + "}"), "malformed");
}

}  // namespace
}  // namespace sluice::api
