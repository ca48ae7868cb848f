#include "tests/fuzz/instance_world.h"

#include <string>
#include <string_view>

#include "core/base/check.h"

namespace sluice::fuzz {
namespace {

constexpr std::array<std::string_view, 12> kAnswers = {
    R"({"result":{}})",
    R"({"result":{"user":"A"}})",
    R"({"result":{"user":"B","info":{"n":1},"channels":["hist:1","n"],"expire_at":40}})",
    R"({"result":{"user":"A","subs":{"hist:2":{"recover":true}},"data":[1]}})",
    R"({"result":{"info":{"x":2},"expire_at":30,"override":{"presence":{"value":false}}}})",
    R"({"result":{"data":{"changed":true}}})",
    R"({"result":{"skip_history":true}})",
    R"({"error":{"code":1001,"message":"no","temporary":true}})",
    R"({"error":{"code":403,"message":"no"}})",
    R"({"disconnect":{"code":4001,"reason":"go"}})",
    R"({"disconnect":{"code":4500,"reason":"go"}})",
    R"({"result":)"};

using Kind = test::Script::Kind;
constexpr std::array<Kind, 8> kKinds = {Kind::kAnswered,    Kind::kAnswered, Kind::kAnswered,
                                        Kind::kAnswered,    Kind::kAnswered, Kind::kTimeout,
                                        Kind::kUnconnected, Kind::kTooLong};

}  // namespace

Storage& Disk::begin(StoredState& stored) {
  SLUICE_CHECK(!process_);
  disk_.fails_at = disk_.works_again_at = UINT64_MAX;
  process_.emplace(disk_, world_.network.clock(), log_);
  stored = *process_->storage.open();
  world_.scheduler.add(process_->actor);
  return process_->storage;
}

void Disk::end() noexcept {
  if (!process_) return;
  world_.scheduler.remove(process_->actor);
  process_.reset();
}

void Disk::fail(Choices& choices) {
  disk_.fails_at = disk_.operations + 1 + choices.below(8);
  const std::size_t count = choices.below(8);
  disk_.works_again_at = count == 7 ? UINT64_MAX : disk_.fails_at + 1 + count;
}

std::string draw_token_command(Choices& choices, std::int64_t now) {
  const std::string expiry = "\"exp\":" + std::to_string(now + 20);
  const std::string whole = R"({"sub":"A","aud":"x",)" + expiry + "}";
  const std::array<std::string, 8> claims = {
      R"({"sub":"A"})",
      R"({"sub":"B","info":{"i":1},)" + expiry + "}",
      R"({"sub":"A","channels":["hist:1","n"],"meta":{"m":1}})",
      R"({"sub":"A","subs":{"hist:2":{"override":{"presence":{"value":false}}}},)" + expiry + "}",
      R"({"sub":"A","channel":"hist:1",)" + expiry + "}",
      R"({"sub":"A","channel":"hist:2","info":[2],"override":{"join_leave":{"value":true}}})",
      R"({"sub":"A","exp":1})",
      whole};
  const std::string& said = claims[choices.below(claims.size())];
  const std::string_view key = choices.below(16) == 1 ? "another" : test::kTokenKey;
  const std::string token = test::token_of(said, key);
  const std::string channel = choices.below(2) == 1 ? "hist:2" : "hist:1";
  switch (choices.below(4)) {
    case 0:
      return R"({"id":1,"connect":{"token":")" + token + R"("}})";
    case 1:
      return R"({"id":2,"refresh":{"token":")" + token + R"("}})";
    case 2:
      return R"({"id":3,"subscribe":{"channel":")" + channel + R"(","token":")" + token + R"("}})";
    default:
      return R"({"id":4,"sub_refresh":{"channel":")" + channel + R"(","token":")" + token +
             R"("}})";
  }
}

ApplicationServer::ApplicationServer(Choices& choices, Random& random)
    : choices_(choices), random_(random) {
  for (test::Script& script : scripts_.scripts) {
    script.fate = [this](std::string_view) {
      const std::string_view body = kAnswers[choices_.below(kAnswers.size())];
      const unsigned how = choices_.byte();
      const Duration after = std::chrono::milliseconds(1 + random_.below(how < 32 ? 3000 : 30));
      const int status = how % 16 == 1 ? 500 : 200;
      return test::Script::Fate{after, kKinds[how / 32], status, std::string(body)};
    };
  }
}

void ApplicationServer::join(InstanceOptions& options) {
  ChannelOptions& decided = options.namespaces.of("hist");
  decided.subscribe_hook = decided.publish_hook = true;
  test::add_hooks(options, scripts_, {DialectKind::kCentrifuge, DialectKind::kRelay});
}

}  // namespace sluice::fuzz
