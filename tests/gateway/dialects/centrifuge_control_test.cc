// What an application server does with the sessions of a user, by the Router.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "core/sim/sim_stream.h"
#include "gateway/dialects/centrifuge.h"
#include "proto/token/jwt.h"
#include "proto/ws/client.h"
#include "tests/gateway/session_stand.h"
#include "tests/proto/token/sign.h"

namespace sluice {
namespace {

constexpr std::string_view kUserChannel = "\xffs42";

// One session of the user 42.
class CentrifugeControlTest : public test::SessionStand {
 protected:
  CentrifugeControlTest() {
    EXPECT_FALSE(namespaces_.set(std::vector<std::string>{"hist.history_messages=5"}));
    speak(dialect_);
    context_.tokens = &tokens_;
    stream_ = network_.connect(kAddress);
    turn();
    const std::string token = token::sign(token::kHeader, R"({"sub":"42"})", "key");
    EXPECT_NE(ask(R"({"id":1,"connect":{"token":")" + token + "\"}}").find("\"#42\":{}"),
              std::string::npos);
    ask(R"({"id":2,"subscribe":{"channel":"news"}})"
        "\n"
        R"({"id":3,"subscribe":{"channel":"hist:1"}})");
  }
  ~CentrifugeControlTest() override { backend_.reset(); }

  void turn() {
    for (int i = 0; i < 200; ++i) SessionStand::turn(std::chrono::microseconds(100));
  }
  // What the client hears, frame headers included.
  std::string ask(std::string_view text) {
    std::vector<std::byte> out;
    ws::append_masked_frame(out, Simd::detect(), ws::Opcode::kText, true, as_bytes(text), 7);
    stream_->write(out);
    turn();
    return stream_->read();
  }
  std::string after(const Control& control) {
    router_.control(router_.name(kUserChannel), control, {});
    turn();
    return stream_->read();
  }
  std::string client() const { return session_->client_id(); }

  Session* session_ = nullptr;
  std::unique_ptr<SimStream> stream_;

 private:
  void on_accept(Handle, Connection& connection) noexcept override {
    SessionState state(DialectKind::kCentrifuge, reader_context_);
    state.centrifuge->is_trusted = true;
    session_ = &start_session(connection, std::move(state));
  }
  void on_shard_message(std::uint32_t, const ShardMessage& message) noexcept override {
    EXPECT_EQ(message.kind, ShardMessage::Kind::kDone);
  }

  CentrifugeDialect dialect_{reactor_.payloads()};
  token::Verifier tokens_ =
      std::move(*token::Verifier::create(std::vector{std::string("key")}, {}));
};

TEST_F(CentrifugeControlTest, SubscribesTheUserToAChannel) {
  Control control;
  control.kind = Control::Kind::kSubscribe;
  control.channel = "hist:2";
  control.data = R"({"d":1})";
  control.info = R"({"r":2})";
  const std::string heard = after(control);
  EXPECT_NE(heard.find(R"({"push":{"channel":"hist:2","subscribe":{"recoverable":true,"epoch":")"),
            std::string::npos)
      << heard;
  EXPECT_NE(heard.find(R"("positioned":true,"data":{"d":1}}}})"), std::string::npos) << heard;
  EXPECT_EQ(after(control), "") << "it follows that already";
  EXPECT_NE(ask(R"({"id":4,"publish":{"channel":"hist:2","data":1}})")
                .find(R"("chan_info":{"r":2}},"offset":1)"),
            std::string::npos);
  control.channel = "nope:1";
  EXPECT_EQ(after(control), "");
}

TEST_F(CentrifugeControlTest, SubscribesFromAPosition) {
  for (int i = 1; i <= 3; ++i) {
    ask(R"({"id":4,"publish":{"channel":"hist:2","data":)" + std::to_string(i) + "}}");
  }
  const std::string top = ask(R"({"id":5,"subscribe":{"channel":"hist:2"}})");
  const std::string mark = R"("epoch":")";
  const std::uint64_t epoch = std::stoull(top.substr(top.find(mark) + mark.size()));
  ask(R"({"id":6,"unsubscribe":{"channel":"hist:2"}})");
  Control control;
  control.kind = Control::Kind::kSubscribe;
  control.channel = "hist:2";
  const auto offsets = [&](const Position& since) {
    control.since = since;
    std::string all;
    const std::string heard = after(control);
    for (std::size_t at = 0; (at = heard.find("\"offset\":", at)) != std::string::npos;) {
      at += 9;
      all += heard[at];
    }
    ask(R"({"id":6,"unsubscribe":{"channel":"hist:2"}})");
    return all;
  };
  EXPECT_EQ(offsets({epoch, 1}), "123") << "behind the subscription what came behind the position";
  EXPECT_EQ(offsets({epoch, 3}), "3");
  EXPECT_EQ(offsets({epoch + 1, 1}), "3") << "the position of now, and nothing that was missed";
  EXPECT_EQ(offsets({epoch, 9}), "3");
}

TEST_F(CentrifugeControlTest, SubscribesWithOptionsOfItsOwn) {
  Control control;
  control.kind = Control::Kind::kSubscribe;
  control.channel = "news:1";
  ASSERT_EQ(after(control), "") << "no such namespace";
  control.channel = "other";
  control.overrides.join_leave = true;
  control.overrides.force_push_join_leave = true;
  const std::string heard = after(control);
  EXPECT_NE(heard.find(R"({"push":{"channel":"other","subscribe":{}}})"), std::string::npos);
  EXPECT_NE(heard.find(R"({"push":{"channel":"other","join":{"info":{"user":"42")"),
            std::string::npos)
      << heard;
}

TEST_F(CentrifugeControlTest, SaysHowLongTheConnectionLasts) {
  Control control;
  control.kind = Control::Kind::kRefresh;
  control.expire_at = 1000;
  control.info = R"({"new":1})";
  EXPECT_NE(after(control).find(R"({"push":{"refresh":{"expires":true,"ttl":99)"),
            std::string::npos);
  EXPECT_EQ(session_->state().centrifuge->expires_at, 1000);
  EXPECT_NE(
      ask(R"({"id":4,"publish":{"channel":"news","data":1}})").find(R"("conn_info":{"new":1})"),
      std::string::npos);
  control.expire_at = 0;
  control.info = {};
  EXPECT_EQ(after(control).substr(2), R"({"push":{"refresh":{}}})") << "for good";
  EXPECT_EQ(session_->state().centrifuge->info, R"({"new":1})") << "as it was";
  control.is_expired = true;
  EXPECT_EQ(after(control), std::string("\x88\x14\x0b\xbd", 4) + "connection expired");
}

TEST_F(CentrifugeControlTest, TakesChannelsAway) {
  Control control;
  control.kind = Control::Kind::kUnsubscribe;
  control.channel = "news";
  control.keep = {"somebody else"};
  const auto push = [](const char* channel, const char* why) {
    return R"({"push":{"channel":")" + std::string(channel) + R"(","unsubscribe":{)" + why + "}}}";
  };
  const std::string own = client();
  control.client = "somebody else";
  EXPECT_EQ(after(control), "");
  control.client = own;
  EXPECT_EQ(after(control).substr(2), push("news", R"("code":2000,"reason":"server unsubscribe")"));
  EXPECT_EQ(after(control), "");
  EXPECT_NE(ask(R"({"id":4,"subscribe":{"channel":"news"}})").find(R"({"id":4,"subscribe":{}})"),
            std::string::npos);
  control.channel = {};
  control.code = 2550;
  control.reason = "again";
  const std::string all = after(control);
  for (const char* channel : {"news", "hist:1"}) {
    EXPECT_NE(all.find(push(channel, R"("code":2550,"reason":"again")")), std::string::npos);
  }
  EXPECT_EQ(all.find("#42"), std::string::npos) << "by which the user is reached";
  EXPECT_EQ(session_->state().subscriptions.size(), 1u);
}

TEST_F(CentrifugeControlTest, EndsTheConnection) {
  Control control;
  control.code = 4001;
  control.reason = "bye";
  control.keep = {"somebody else"};
  EXPECT_EQ(after(control), std::string("\x88\x05\x0f\xa1", 4) + "bye");
}

TEST_F(CentrifugeControlTest, WhatIsNoJsonEndsTheConnection) {
  router_.publish(router_.name(kUserChannel), {as_bytes("\xff"), ws::Opcode::kBinary});
  turn();
  const std::string heard = stream_->read();
  EXPECT_EQ(heard.substr(0, 4), std::string("\x88\x18\x0d\xb2", 4)) << "3506";
}

}  // namespace
}  // namespace sluice
