#include "gateway/config/http_url.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice {
namespace {

TEST(HttpUrl, IsHttpOrHttps) {
  for (const std::string url :
       {"http://127.0.0.1:9090/", "https://robot.example/chat?room=1", "http://[::1]:1/a",
        "HTTP://robot", "http://user:secret@robot/", "http://robot/%E4%BD%A0"}) {
    EXPECT_EQ(http_url_fault(url), std::nullopt) << url;
  }
}

TEST(HttpUrl, IsNothingElse) {
  for (const std::string url : {"ftp://robot/", "file:///etc/passwd", "gopher://robot/",
                                "unix:/run/robot", "ws://robot/"}) {
    EXPECT_NE(http_url_fault(url), std::nullopt) << url;
  }
  for (const std::string url :
       {"", "robot", "127.0.0.1:9090", "/robot", "http://", "http://robot:port/",
        "http://robot:70000/", "http://ro bot/", "http://robot/a b", "http://robot/\r\nX: y"}) {
    EXPECT_NE(http_url_fault(url), std::nullopt) << url;
  }
  EXPECT_NE(http_url_fault(std::string("http://robot/\0x", 15)), std::nullopt);
}

}  // namespace
}  // namespace sluice
