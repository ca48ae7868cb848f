#include "gateway/endpoints.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "gateway/history_view.h"
#include "gateway/metrics_text.h"
#include "gateway/pages.h"
#include "proto/http/request_parser.h"

namespace sluice {
namespace {

constexpr ListenerTraits kClient{.is_loopback = false, .is_ops = false};
constexpr ListenerTraits kLoopback{.is_loopback = true, .is_ops = false};
constexpr ListenerTraits kOps{.is_loopback = false, .is_ops = true};
constexpr ListenerTraits kListeners[] = {kClient, kLoopback, kOps};

struct FakeInstance final : InstanceView {
  bool is_ready() const noexcept override { return ready; }
  InstanceFigures figures() const override { return {}; }
  std::string metrics() const override { return "sluice_up 1\n"; }
  std::optional<std::uint32_t> shard_with_room(std::uint32_t) const noexcept override { return {}; }

  bool has_lost_storage() const noexcept override { return is_lost; }

  bool ready = true;
  bool is_lost = false;
};

struct Answered {
  int status = 0;
  std::string head;  // with the empty line
  std::string body;

  // The values of that field, one after the other.
  std::vector<std::string> all(std::string_view name) const {
    std::vector<std::string> values;
    const std::string start = "\r\n" + std::string(name) + ": ";
    for (std::size_t at = head.find(start); at != std::string::npos; at = head.find(start, at)) {
      at += start.size();
      values.push_back(head.substr(at, head.find("\r\n", at) - at));
    }
    return values;
  }
  std::string field(std::string_view name) const {
    const auto values = all(name);
    EXPECT_LE(values.size(), 1u) << name;
    return values.empty() ? "" : values.front();
  }
};

Answered split(const std::string& out) {
  const std::size_t end = out.find("\r\n\r\n") + 4;
  EXPECT_TRUE(out.starts_with("HTTP/1.1 ")) << out;
  return {std::stoi(out.substr(9)), out.substr(0, end), out.substr(end)};
}

Asked asked(std::string_view method, std::string_view path) {
  return {path, method == "GET" || method == "HEAD", method == "HEAD", false};
}

class EndpointsTest : public testing::Test {
 protected:
  Answered answer(const Asked& asked, const ListenerTraits& listener, bool keep_alive = true) {
    std::string out;
    const int status = append_answer(out, asked, listener, instance_, &history_, keep_alive,
                                     WallTime{std::chrono::hours(1)});
    const Answered answered = split(out);
    EXPECT_EQ(status, answered.status);
    return answered;
  }
  Answered get(std::string_view path, const ListenerTraits& listener) {
    return answer(asked("GET", path), listener);
  }

  FakeInstance instance_;
  ChatHistory history_{{5, 6}, true, {as_bytes(R"({"message":"said before"})")}};
};

struct Endpoint {
  std::string_view path;
  int status[3];  // of a GET, by kListeners
};
constexpr Endpoint kEndpoints[] = {
    {"/healthz", {200, 200, 200}},  {"/readyz", {200, 200, 200}},
    {"/metrics", {404, 200, 200}},  {"/", {200, 200, 404}},
    {"/toy", {200, 200, 404}},      {"/chat/history", {200, 200, 404}},
    {"/chat", {426, 426, 404}},     {"/sendone", {426, 426, 404}},
    {"/nothing", {404, 404, 404}},  {"/healthz/", {404, 404, 404}},
    {"/metricsx", {404, 404, 404}}, {"*", {404, 404, 404}},
    {"", {404, 404, 404}},
};

TEST_F(EndpointsTest, EachIsServedOnItsListenersOnly) {
  for (const Endpoint& endpoint : kEndpoints) {
    for (std::size_t i = 0; i < std::size(kListeners); ++i) {
      EXPECT_EQ(get(endpoint.path, kListeners[i]).status, endpoint.status[i])
          << endpoint.path << " on " << i;
    }
  }
}

TEST_F(EndpointsTest, OtherMethodsAreToldWhatIsAllowedUnlessNothingIsThere) {
  for (const Endpoint& endpoint : kEndpoints) {
    for (std::size_t i = 0; i < std::size(kListeners); ++i) {
      for (const std::string_view method : {"POST", "PUT", "DELETE", "OPTIONS", "get"}) {
        const Answered answered = answer(asked(method, endpoint.path), kListeners[i]);
        const bool is_there = endpoint.status[i] != 404;
        EXPECT_EQ(answered.status, is_there ? 405 : 404)
            << method << ' ' << endpoint.path << " on " << i;
        EXPECT_EQ(answered.field("Allow"), is_there ? "GET, HEAD" : "");
      }
    }
  }
}

TEST_F(EndpointsTest, AMethodThatNobodyKnowsIs501Everywhere) {
  for (const Endpoint& endpoint : kEndpoints) {
    for (const ListenerTraits& listener : kListeners) {
      Asked unknown = asked("BREW", endpoint.path);
      unknown.is_known = false;
      EXPECT_EQ(answer(unknown, listener).status, 501) << endpoint.path;
    }
  }
}

TEST_F(EndpointsTest, HeadIsGetWithoutTheBody) {
  for (const Endpoint& endpoint : kEndpoints) {
    for (const ListenerTraits& listener : kListeners) {
      const Answered got = get(endpoint.path, listener);
      const Answered head = answer(asked("HEAD", endpoint.path), listener);
      EXPECT_EQ(head.head, got.head) << endpoint.path;
      EXPECT_EQ(head.body, "") << endpoint.path;
      EXPECT_EQ(got.field("Content-Length"), std::to_string(got.body.size())) << endpoint.path;
      EXPECT_FALSE(got.body.empty()) << endpoint.path;
    }
  }
}

TEST_F(EndpointsTest, HealthIsOneWord) {
  EXPECT_EQ(get("/healthz", kClient).body, "ok\n");
  EXPECT_EQ(get("/readyz", kClient).body, "ready\n");
  instance_.is_lost = true;
  EXPECT_EQ(get("/readyz", kClient).body, "ready\n") << "nothing for clients to know";
  EXPECT_EQ(get("/readyz", kOps).body, "ready, but nothing is kept on disk\n");
  EXPECT_EQ(get("/readyz", kLoopback).status, 200);
  instance_.is_lost = false;
}

TEST_F(EndpointsTest, AnInstanceThatStopsIsHealthyButNotReady) {
  instance_.ready = false;
  for (const ListenerTraits& listener : kListeners) {
    EXPECT_EQ(get("/healthz", listener).status, 200);
    const Answered ready = get("/readyz", listener);
    EXPECT_EQ(ready.status, 503);
    EXPECT_EQ(ready.body, "stopping\n");
  }
}

TEST_F(EndpointsTest, MetricsAreThoseOfTheInstance) {
  const Answered metrics = get("/metrics", kOps);
  EXPECT_EQ(metrics.body, "sluice_up 1\n");
  EXPECT_EQ(metrics.field("Content-Type"), kMetricsContentType);
}

TEST_F(EndpointsTest, APageMayRunAndLoadNothingButItself) {
  for (const std::string_view path : {"/", "/toy"}) {
    const Answered page = get(path, kClient);
    EXPECT_EQ(page.field("Content-Type"), "text/html; charset=utf-8") << path;
    EXPECT_TRUE(page.field("Content-Security-Policy").starts_with("default-src 'none'; ")) << path;
    EXPECT_EQ(page.field("X-Content-Type-Options"), "nosniff") << path;
  }
  EXPECT_EQ(get("/healthz", kClient).field("Content-Security-Policy"), "");
}

TEST_F(EndpointsTest, NothingIsToBeStored) {
  for (const Endpoint& endpoint : kEndpoints) {
    for (const ListenerTraits& listener : kListeners) {
      EXPECT_EQ(get(endpoint.path, listener).field("Cache-Control"), "no-store") << endpoint.path;
    }
  }
}

TEST_F(EndpointsTest, ShowsWhatWasSaidInThePageAndAsJson) {
  const Answered page = get("/", kClient);
  EXPECT_NE(page.body.find("said before"), std::string::npos);
  EXPECT_NE(page.body.find("data-position=\"5:6\""), std::string::npos);
  const Answered json = get(kHistoryPath, kClient);
  EXPECT_EQ(json.body, history_json(history_));
  EXPECT_EQ(json.field("Content-Type"), "application/json; charset=utf-8");
}

TEST_F(EndpointsTest, WithoutHistoryThePageIsThereAndTheJsonIsNot) {
  const auto without = [this](std::string_view path) {
    std::string out;
    append_answer(out, asked("GET", path), kClient, instance_, nullptr, true, {});
    return split(out);
  };
  EXPECT_EQ(without("/").status, 200);
  EXPECT_EQ(without("/").body, pages::kChatHtml);
  EXPECT_EQ(without("/toy").body, pages::kToyHtml);
  EXPECT_EQ(without(kHistoryPath).status, 503);
}

TEST_F(EndpointsTest, AWebSocketPathSaysHowToUpgrade) {
  for (const std::string_view path : {"/chat", "/sendone"}) {
    const Answered answered = get(path, kClient);
    EXPECT_EQ(answered.field("Upgrade"), "websocket");
    EXPECT_EQ(answered.field("Connection"), "Upgrade");
    EXPECT_EQ(answered.field("Sec-WebSocket-Version"), "13");
  }
}

TEST_F(EndpointsTest, SaysWhetherTheConnectionStaysOpen) {
  Asked old = asked("GET", "/healthz");
  EXPECT_EQ(answer(old, kClient, true).field("Connection"), "");
  EXPECT_EQ(answer(old, kClient, false).field("Connection"), "close");
  old.is_http10 = true;
  EXPECT_EQ(answer(old, kClient, true).field("Connection"), "keep-alive");
  EXPECT_EQ(answer(old, kClient, false).field("Connection"), "close");
}

TEST(Asked, ReadsARequest) {
  const auto read = [](const std::string& line) {
    const std::string head = line + "\r\nHost: h\r\n\r\n";
    http::RequestParser parser(Simd::detect());
    EXPECT_EQ(parser.parse(as_bytes(head)), http::Progress::kComplete);
    const Asked asked = Asked::of(parser.request());
    return std::string(asked.path) + (asked.is_read ? " read" : "") +
           (asked.is_head ? " head" : "") + (asked.is_http10 ? " 1.0" : "") +
           (asked.wants_history() ? " history" : "") + (asked.is_known ? "" : " unknown");
  };
  EXPECT_EQ(read("GET /toy?x=1 HTTP/1.1"), "/toy read");
  EXPECT_EQ(read("HEAD /toy HTTP/1.0"), "/toy read head 1.0");
  EXPECT_EQ(read("POST /toy HTTP/1.1"), "/toy");
  EXPECT_EQ(read("GET / HTTP/1.1"), "/ read history");
  EXPECT_EQ(read("HEAD /chat/history?after=1:2 HTTP/1.1"), "/chat/history read head history");
  EXPECT_EQ(read("POST / HTTP/1.1"), "/");
  EXPECT_EQ(read("get / HTTP/1.1"), "/ unknown");
  EXPECT_EQ(read("GETT / HTTP/1.1"), "/ unknown");
}

TEST(AppendUnavailable, AsksToComeBackAfterWholeSecondsAndCloses) {
  const auto retry_after = [](Duration wait) {
    Limits limits;
    limits.retry_after = wait;
    std::string out;
    append_unavailable(out, limits, {});
    const Answered answered = split(out);
    EXPECT_EQ(answered.status, 503);
    EXPECT_EQ(answered.field("Connection"), "close");
    EXPECT_EQ(answered.field("Content-Length"), std::to_string(answered.body.size()));
    return answered.field("Retry-After");
  };
  EXPECT_EQ(retry_after(std::chrono::seconds(5)), "5");
  EXPECT_EQ(retry_after(std::chrono::milliseconds(5001)), "6");
  EXPECT_EQ(retry_after(std::chrono::milliseconds(1)), "1");
}

TEST(AppendPlain, CarriesTheFieldsItIsGiven) {
  const http::Field fields[] = {{"Allow", "GET"}, {"X", "y"}};
  std::string out = "before";
  append_plain(out, 405, "No.\n", true, false, WallTime{std::chrono::seconds(784'111'777)}, fields);
  ASSERT_TRUE(out.starts_with("before"));
  const Answered answered = split(out.substr(6));
  EXPECT_EQ(answered.status, 405);
  EXPECT_EQ(answered.field("Allow"), "GET");
  EXPECT_EQ(answered.field("X"), "y");
  EXPECT_EQ(answered.field("Content-Type"), "text/plain; charset=utf-8");
  EXPECT_EQ(answered.field("Date"), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(answered.body, "No.\n");
  out.clear();
  append_plain(out, 405, "No.\n", true, true, {}, fields);
  EXPECT_EQ(split(out).body, "");
}

}  // namespace
}  // namespace sluice
