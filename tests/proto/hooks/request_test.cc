#include "proto/hooks/request.h"

#include <gtest/gtest.h>

#include <array>

namespace sluice::hooks {
namespace {

TEST(HookRequest, ConnectSaysWhatTheClientSaid) {
  std::string out;
  const std::array<std::string_view, 2> channels = {"news", "a\"b"};
  append_connect(out, {"id", {}, {}}, {"js", "1.0", R"({"x":1})", channels});
  EXPECT_EQ(out, R"({"client":"id","transport":"websocket","protocol":"json","encoding":"json",)"
                 R"("name":"js","version":"1.0","data":{"x":1},"channels":["news","a\"b"]})");
}

TEST(HookRequest, ConnectLeavesOutWhatWasNotSaid) {
  std::string out;
  append_connect(out, {"id", {}, "chat"}, {});
  EXPECT_EQ(out, R"({"client":"id","transport":"websocket","protocol":"json","encoding":"json",)"
                 R"("dialect":"chat"})");
}

TEST(HookRequest, InAChannelTheUserIsAlwaysSaid) {
  std::string out;
  append_in_channel(out, {"id", "4\n2", {}}, "room", R"("text")");
  append_in_channel(out, {"id", {}, {}}, "room", {});
  EXPECT_EQ(out, R"({"client":"id","transport":"websocket","protocol":"json","encoding":"json",)"
                 R"("user":"4\n2","channel":"room","data":"text"})"
                 R"({"client":"id","transport":"websocket","protocol":"json","encoding":"json",)"
                 R"("user":"","channel":"room"})");
}

}  // namespace
}  // namespace sluice::hooks
