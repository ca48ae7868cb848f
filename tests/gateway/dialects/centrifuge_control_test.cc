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
  control.channel_info = R"({"r":2})";
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
