#include "proto/json/scan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::json {
namespace {

using namespace std::string_literals;

constexpr std::array<std::string_view, 2> kNames = {"msg_type", "nickname"};
using Members = std::array<Member, kNames.size()>;

// One scan of a copy that ends where its buffer ends, so that a sanitizer sees a byte read too far.
// Keeps the copy, which the members point into.
class Scan {
 public:
  explicit Scan(std::string_view text)
      : bytes_(std::make_unique<char[]>(text.size())), size_(text.size()) {
    std::copy(text.begin(), text.end(), bytes_.get());
    scanned_ = json::scan({bytes_.get(), size_}, kNames, members_);
  }
  const Result<void, Fault>& result() const { return scanned_; }
  const Member& operator[](std::size_t i) const { return members_[i]; }

 private:
  std::unique_ptr<char[]> bytes_;
  std::size_t size_;
  Members members_;
  Result<void, Fault> scanned_;
};

bool is_accepted(std::string_view text) { return Scan(text).result().has_value(); }

Fault fault_of(std::string_view text) {
  const Scan scan(text);
  EXPECT_FALSE(scan.result()) << text;
  return scan.result() ? Fault{} : scan.result().error();
}

Scan members_of(std::string_view text) {
  Scan scan(text);
  EXPECT_TRUE(scan.result()) << text;
  return scan;
}

std::string nested(std::size_t depth, std::string_view open, std::string_view close) {
  std::string text;
  for (std::size_t i = 0; i < depth; ++i) text += open;
  for (std::size_t i = 0; i < depth; ++i) text += close;
  return text;
}

// One entry per line would make the tables fill three screens.
// clang-format off

// Values that must be accepted wherever a value may stand.
const std::vector<std::string> kValues = {
    "true", "false", "null", "0", "-0", "7", "10", "-10", "1234567890", "0.0", "-0.0", "0.5",
    "3.14", "1e5", "1E5", "1e+5", "1e-5", "0e0", "0E+00", "-1.25e-00", "1e400", "-1e400",
    "1e-400", "1e999999999999", "123456789012345678901234567890",
    "-99999999999999999999999999999999", "0.1000000000000000000000000000000000000000001", R"("")",
    R"("a")", R"("\"")", R"("\\")", R"("\/")", R"("\b\f\n\r\t")", R"("\u0000")",
    R"("\uABCD\uabcd\uAbCd")", R"("\ud83d\ude00")", R"("\ud800")", R"("\udc00")",
    R"("\ud800\ud800")", R"("\udc00\ud800")", R"("\ud83dabc")", R"("\uD83D\n")", R"("\\u12")",
    R"("你好 😀")", "\"\x7f\"", R"("/")", R"("a long string of more than sixteen bytes")",
    "[]", "[ ]", "{}", "{\t}", "[[]]", "[{}]", "[1]", "[1,2]", " [ 1 , 2 ] ", R"({"a":1})",
    R"({ "a" : 1 , "b" : [ ] })", R"({"":0})", R"({"a":1,"a":2})", R"([[],{},[{"a":[]}],"x",0])",
    R"({"a":{"b":{"c":[1,{"d":null}]}}})", "\r\n\t 1 \r\n\t"};

// Texts that are no JSON value, wherever they stand.
const std::vector<std::string> kInvalid = {
    "tru", "truE", "truee", "True", "fals", "falsey", "nul", "nulll", "NULL", "t", "nan", "NaN",
    "Infinity", "-Infinity", "undefined", "+1", "01", "-01", "00", "-", "--1", "-a", ".5", "-.5",
    "1.", "1.e5", "1.5.5", "1e", "1E", "1e+", "1e-", "1e5.5", "1e5e5", "1e+-5", "0x10", "1_000",
    "1a", "1 2", "0e", "0.e1", "1,", "2.e+3", "1\0"s, "\xef\xbc\x91", R"(")", R"("abc)",
    R"("abc\")", R"("\)", R"("\x41")", R"("\a")", R"("\')", R"("\U0041")", R"("\u")", R"("\u1")",
    R"("\u12")", R"("\u123")", R"("\u123g")", R"("\u 123")", R"("\ud800\u")", R"("\ud800\u1")",
    R"("\ud800\")", "\"\n\"", "\"\t\"", "\"\x1f\"", "\"a\0b\""s, "'a'", "a", "\"a\"b",
    "\"a\"\"b\"", "[", "]", "[1", "[1,", "[1,]", "[,1]", "[,]", "[1,,2]", "[1 2]", "[1}", "[1,2}",
    "[1:2]", "[\"a\":1]", "[]]", "[][]", "[}", "{", "}", "{]", "{1:1}", "{a:1}", "{'a':1}",
    R"({"a")", R"({"a":)", R"({"a":1)", R"({"a":1,)", R"({"a":1,})", R"({,"a":1})", R"({"a"})",
    R"({"a",1})", R"({"a"::1})", R"({"a":1 "b":2})", R"({"a":1,,"b":2})",
    R"({"a":1]", R"({"a":})", R"({:1})", R"({"a":1}})", R"({"a":1}{})", R"({null:1})",
    R"({"a":1,2})", R"({"a" 1})", "{\"a\n\":1}", R"({"\x":1})", "// comment\n1",
    "/* comment */ 1", "1 // comment", "\xef\xbb\xbf{}", "\f1", "\v1", "\xc2\xa0\x31", "\0"s,
    "1 \0"s, ",", ":", "\\", "*", "@"};

// clang-format on

TEST(JsonScan, AcceptsEveryValueAlone) {
  for (const std::string& value : kValues) EXPECT_TRUE(is_accepted(value)) << value;
}

TEST(JsonScan, AcceptsEveryValueAtEveryPlace) {
  for (const std::string& value : kValues) {
    for (const std::string& text :
         {R"({"x":)" + value + "}", R"({"msg_type":)" + value + "}", "[" + value + "]",
          R"({"x":[0,)" + value + R"(,{"y":)" + value + R"(}],"z":)" + value + "}"}) {
      EXPECT_TRUE(is_accepted(text)) << text;
    }
  }
}

TEST(JsonScan, RefusesEveryInvalidTextAlone) {
  for (const std::string& value : kInvalid) EXPECT_EQ(fault_of(value), Fault::kInvalid) << value;
}

TEST(JsonScan, RefusesEveryInvalidTextWhereNobodyLooks) {
  for (const std::string& value : kInvalid) {
    for (const std::string& text :
         {R"({"x":)" + value + R"(,"msg_type":"message"})", R"({"msg_type":)" + value + "}",
          R"({"x":[)" + value + "]}", R"({"x":[{"y":)" + value + "}]}",
          R"({"msg_type":"message","x":{"y":{"z":)" + value + "}}}"}) {
      EXPECT_FALSE(is_accepted(text)) << text;
    }
  }
}

TEST(JsonScan, RefusesTextWithoutAValue) {
  EXPECT_EQ(fault_of(""), Fault::kInvalid);
  EXPECT_EQ(fault_of(" \t\r\n"), Fault::kInvalid);
}

TEST(JsonScan, RefusesEveryTruncationOfAnObject) {
  const std::string text =
      R"({"msg_type":"m\u0041\n","a":[1.5e+3,{"b":null,"c":[true,false]}],"nickname":-0.25})";
  ASSERT_TRUE(is_accepted(text));
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_EQ(fault_of(text.substr(0, size)), Fault::kInvalid) << size;
  }
}

TEST(JsonScan, FindsTheWantedMembersAsTheyStand) {
  const Scan members =
      members_of(R"( { "x" : 1 , "nickname" : "b\u0061o" , "msg_type" : "message" } )");
  EXPECT_EQ(members[0].kind, Kind::kString);
  EXPECT_EQ(members[0].raw, "message");
  EXPECT_FALSE(members[0].is_escaped);
  EXPECT_EQ(members[1].kind, Kind::kString);
  EXPECT_EQ(members[1].raw, R"(b\u0061o)");
  EXPECT_TRUE(members[1].is_escaped);
}

TEST(JsonScan, TellsTheKindsOfValuesApartAndKeepsTheirText) {
  const auto scan_of = [](const std::string& value) {
    return members_of(R"({"msg_type": )" + value + R"( ,"x":1})");
  };
  for (const std::string value : {"0", "-17", "1.50", "1E400", "123456789012345678901234567890"}) {
    const Scan members = scan_of(value);
    EXPECT_EQ(members[0].kind, Kind::kNumber) << value;
    EXPECT_EQ(members[0].raw, value);
  }
  for (const std::string value :
       {"true", "false", "null", "[]", "{}", R"([1, {"a": "]"} ])", R"({"a":[{}]})"}) {
    const Scan members = scan_of(value);
    EXPECT_EQ(members[0].kind, Kind::kOther) << value;
    EXPECT_EQ(members[0].raw, value);
  }
  const Scan empty = scan_of(R"("")");
  EXPECT_EQ(empty[0].kind, Kind::kString);
  EXPECT_EQ(empty[0].raw, "");
}

TEST(JsonScan, FindsNothingInWhatIsNotAnObject) {
  for (const std::string_view text :
       {"17", "\"msg_type\"", "null", "[]", R"([{"msg_type":"message"}])", "{}"}) {
    EXPECT_EQ(members_of(text)[0].kind, Kind::kAbsent) << text;
  }
}

TEST(JsonScan, FindsNothingInNestedObjects) {
  const Scan members = members_of(R"({"x":{"msg_type":"message"},"y":[{"nickname":1}]})");
  EXPECT_EQ(members[0].kind, Kind::kAbsent);
  EXPECT_EQ(members[1].kind, Kind::kAbsent);
}

TEST(JsonScan, ForgetsWhatTheMembersHeldBefore) {
  Members members;
  ASSERT_TRUE(json::scan(R"({"msg_type":"message"})", kNames, members));
  ASSERT_EQ(members[0].kind, Kind::kString);
  ASSERT_TRUE(json::scan("{}", kNames, members));
  EXPECT_EQ(members[0].kind, Kind::kAbsent);
}

TEST(JsonScan, RecognizesAWantedNameHoweverItIsEscaped) {
  for (const std::string_view text :
       {R"({"msg\u005ftype":"a"})", R"({"\u006d\u0073\u0067\u005F\u0074\u0079\u0070\u0065":"a"})",
        R"({"ms\u0067_type":"a"})"}) {
    EXPECT_EQ(members_of(text)[0].raw, "a") << text;
  }
}

TEST(JsonScan, DoesNotTakeSimilarNamesForAWantedOne) {
  for (const std::string_view text :
       {R"({"msg_typ":"a"})", R"({"msg_typee":"a"})", R"({"Msg_type":"a"})", R"({"msg_type ":"a"})",
        R"({"msg_type\u0000":"a"})", R"({"msg\\u005ftype":"a"})", R"({"msg\/type":"a"})",
        R"({"msg\ud85ftype":"a"})", R"({"msg\u005Ftyp":"a"})", R"({"":"a"})"}) {
    EXPECT_EQ(members_of(text)[0].kind, Kind::kAbsent) << text;
  }
}

TEST(JsonScan, RefusesAWantedMemberThatStandsTwice) {
  for (const std::string_view text :
       {R"({"msg_type":"a","msg_type":"a"})", R"({"msg_type":1,"x":[],"msg_type":null})",
        R"({"msg_type":"a","msg\u005ftype":"b"})", R"({"\u006dsg_type":"a","msg_type":"b"})",
        R"({"ms\u0067_type":"a","\u006dsg_type":"b"})", R"({"nickname":{},"nickname":{}})"}) {
    EXPECT_EQ(fault_of(text), Fault::kDuplicate) << text;
  }
}

TEST(JsonScan, LetsOtherMembersStandTwice) {
  EXPECT_TRUE(is_accepted(R"({"x":1,"x":2,"msg_type":"a","x":3})"));
  EXPECT_TRUE(is_accepted(R"({"msg_type":"a","x":{"msg_type":1,"msg_type":2}})"));
}

TEST(JsonScan, BoundsTheDepthExactly) {
  EXPECT_TRUE(is_accepted(nested(kDepthMax, "[", "]")));
  EXPECT_EQ(fault_of(nested(kDepthMax + 1, "[", "]")), Fault::kTooDeep);
  EXPECT_TRUE(is_accepted(R"({"x":)" + nested(kDepthMax - 1, "[", "]") + "}"));
  EXPECT_EQ(fault_of(R"({"x":)" + nested(kDepthMax, "[", "]") + "}"), Fault::kTooDeep);
  const auto objects = [](std::size_t depth) {
    std::string text = nested(depth, R"({"a":)", "}");
    return text.insert(text.find(":}") + 1, "1");
  };
  EXPECT_TRUE(is_accepted(objects(kDepthMax)));
  EXPECT_EQ(fault_of(objects(kDepthMax + 1)), Fault::kTooDeep);
}

TEST(JsonScan, SurvivesAMillionOpenBrackets) {
  EXPECT_EQ(fault_of(std::string(1'000'000, '[')), Fault::kTooDeep);
  EXPECT_EQ(fault_of(nested(200'000, R"({"a":)", "")), Fault::kTooDeep);
}

TEST(JsonScan, RemembersWhichContainersAreOpenAtEveryDepth) {
  // Arrays and objects in turn, closed wrongly at one level: each level must notice.
  constexpr std::size_t kDepth = 100;
  std::string open = "{\"x\":";
  std::string close = "}";
  for (std::size_t i = 0; i < kDepth; ++i) {
    open += i % 3 == 0 ? "{\"a\":" : "[";
    close.insert(close.begin(), i % 3 == 0 ? '}' : ']');
  }
  ASSERT_TRUE(is_accepted(open + "1" + close));
  for (char& c : close) {
    const char right = c;
    c = right == '}' ? ']' : '}';
    EXPECT_EQ(fault_of(open + "1" + close), Fault::kInvalid);
    c = right;
  }
}

std::string walked_members(std::string_view object) {
  std::string walked;
  Walk walk(object);
  Member name;
  Member value;
  while (walk.next(name, value)) {
    walked.append(name.raw).append("=").append(value.raw).append(";");
  }
  EXPECT_FALSE(walk.next(name, value));
  return walked;
}

std::string walked_elements(std::string_view array) {
  std::string walked;
  Walk walk(array);
  for (Member value; walk.next(value);) walked.append(value.raw).append(";");
  Member value;
  EXPECT_FALSE(walk.next(value));
  return walked;
}

TEST(JsonWalk, GoesThroughAllMembers) {
  EXPECT_EQ(walked_members("{}"), "");
  EXPECT_EQ(walked_members("{ }"), "");
  EXPECT_EQ(walked_members(R"({"a":1})"), "a=1;");
  EXPECT_EQ(walked_members(R"({"a":1,"a":"x","":{"a":{}},"b":[ 1, {"c":2} ]})"),
            R"(a=1;a=x;={"a":{}};b=[ 1, {"c":2} ];)");
  EXPECT_EQ(walked_members("{ \"a\" :\n1 ,\t\"\\u0062\" : null\r}"), "a=1;\\u0062=null;");
}

TEST(JsonWalk, GoesThroughAllElements) {
  EXPECT_EQ(walked_elements("[]"), "");
  EXPECT_EQ(walked_elements("[\n]"), "");
  EXPECT_EQ(walked_elements(R"(["a"])"), "a;");
  EXPECT_EQ(walked_elements(R"([ 1,[],"],}" , {"a":[2]},false ])"), R"(1;[];],};{"a":[2]};false;)");
}

TEST(JsonWalk, SaysOfWhatKindAValueIs) {
  Walk walk(R"(["a","\\",1,null])");
  Member value;
  ASSERT_TRUE(walk.next(value));
  EXPECT_EQ(value.kind, Kind::kString);
  EXPECT_FALSE(value.is_escaped);
  ASSERT_TRUE(walk.next(value));
  EXPECT_TRUE(value.is_escaped);
  ASSERT_TRUE(walk.next(value));
  EXPECT_EQ(value.kind, Kind::kNumber);
  EXPECT_FALSE(value.is_escaped);
  ASSERT_TRUE(walk.next(value));
  EXPECT_EQ(value.kind, Kind::kOther);
}

}  // namespace
}  // namespace sluice::json
