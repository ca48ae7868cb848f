#include "proto/dialect/chat_view.h"

#include <gtest/gtest.h>

namespace sluice::dialect {
namespace {

std::string item(std::string_view message) {
  std::string out;
  append_chat_item(out, message);
  return out;
}

TEST(ChatView, ShowsNicknameMessageAndTime) {
  EXPECT_EQ(item(R"({"msg_type":"message","nickname":"包子","message":"你好","cur_time":"10:00"})"),
            "<li><b>包子</b><span>你好</span><time>10:00</time></li>");
}

TEST(ChatView, LeavesOutATimeThatWasNotSent) {
  EXPECT_EQ(item(R"({"nickname":"a","message":"hi"})"), "<li><b>a</b><span>hi</span></li>");
}

TEST(ChatView, MarksWhatARobotSays) {
  EXPECT_EQ(item(R"({"nickname":"r","message":"hi","the_robot":"robot"})"),
            "<li class=\"robot\"><b>r</b><span>hi</span></li>");
}

TEST(ChatView, NeverLetsAMessageBeMarkup) {
  const std::string text =
      item(R"({"nickname":"<img src=x onerror=alert(1)>","message":"\u003cscript>&'\"</script>",)"
           R"("cur_time":"\"><b>"})");
  EXPECT_EQ(text,
            "<li><b>&lt;img src=x onerror=alert(1)&gt;</b><span>&lt;script&gt;&amp;&#39;&quot;"
            "&lt;/script&gt;</span><time>&quot;&gt;&lt;b&gt;</time></li>");
}

TEST(ChatView, ShowsValuesThatAreNoStringsAsTheyWereSpelled) {
  EXPECT_EQ(item(R"({"nickname":17,"message":{"a":"<"},"cur_time":1e400})"),
            "<li><b>17</b><span>{&quot;a&quot;:&quot;&lt;&quot;}</span><time>1e400</time></li>");
}

TEST(ChatView, ShowsAMessageWithADoubledMemberWhole) {
  EXPECT_EQ(item(R"({"message":"a","message":"<b>"})"),
            "<li><span>{&quot;message&quot;:&quot;a&quot;,&quot;message&quot;:&quot;&lt;b&gt;"
            "&quot;}</span></li>");
}

TEST(ChatView, ReplacesWhatUtf8OrAPageCannotSay) {
  EXPECT_EQ(item(R"({"message":"\ud800 \u0000"})"),
            "<li><b></b><span>\xef\xbf\xbd \xef\xbf\xbd</span></li>");
}

}  // namespace
}  // namespace sluice::dialect
