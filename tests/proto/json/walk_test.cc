#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "proto/json/scan.h"

namespace sluice::json {
namespace {

// Each element: its kind, a `\` for a string with escapes, and its text.
std::string said(const Member& value) {
  const char kind = value.kind == Kind::kString ? 's' : value.kind == Kind::kNumber ? 'n' : 'o';
  return std::string(1, kind) + (value.is_escaped ? "\\" : "") + ":" + std::string(whole(value));
}

// Walked exactly, and only after the scanner has accepted it.
std::vector<std::string> walked(std::string_view text) {
  EXPECT_TRUE(scan(text, {}, {}).has_value()) << text;
  std::vector<std::string> all;
  Member value;
  if (text.front() == '[') {
    Walk walk(text);
    while (walk.next(value)) all.push_back(said(value));
    EXPECT_FALSE(walk.next(value));
  } else {
    Walk walk(text);
    Member name;
    while (walk.next(name, value)) {
      EXPECT_EQ(name.kind, Kind::kString);
      all.push_back(std::string(name.raw) + "=" + said(value));
    }
    EXPECT_FALSE(walk.next(name, value));
  }
  return all;
}

using List = std::vector<std::string>;

TEST(JsonWalk, FindsEachElement) {
  EXPECT_EQ(walked("[]"), List{});
  EXPECT_EQ(walked("[ \n]"), List{});
  EXPECT_EQ(walked("[1]"), List{"n:1"});
  EXPECT_EQ(walked(R"([ -1.5e3 ,"a",true,false , null,[1,[2]],{"a":{"b":[]}} ])"),
            (List{"n:-1.5e3", "s:\"a\"", "o:true", "o:false", "o:null", "o:[1,[2]]",
                  R"(o:{"a":{"b":[]}})"}));
}

TEST(JsonWalk, FindsEachMember) {
  EXPECT_EQ(walked("{}"), List{});
  EXPECT_EQ(walked("{\t}"), List{});
  EXPECT_EQ(walked(R"({"a":1 , "b" : "x","a":[],"":{}})"),
            (List{"a=n:1", "b=s:\"x\"", "a=o:[]", "=o:{}"}));
}

TEST(JsonWalk, IsNotMisledByWhatStringsSay) {
  EXPECT_EQ(walked(R"(["]","[","\"]","\\","{\\\"",",",{"}\"":"]}"}])"),
            (List{"s:\"]\"", "s:\"[\"", R"(s\:"\"]")", R"(s\:"\\")", R"(s\:"{\\\"")", "s:\",\"",
                  R"(o:{"}\"":"]}"})"}));
  EXPECT_EQ(walked(R"({"\"":"\\","a\\":2})"), (List{R"(\"=s\:"\\")", R"(a\\=n:2)"}));
}

TEST(JsonWalk, GoesAsDeepAsTheScanner) {
  const std::string deep = std::string(kDepthMax - 1, '[') + std::string(kDepthMax - 1, ']');
  EXPECT_EQ(walked("[" + deep + ",2]"), (List{"o:" + deep, "n:2"}));
}

}  // namespace
}  // namespace sluice::json
