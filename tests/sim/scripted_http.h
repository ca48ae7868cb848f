// An HTTP server in virtual time: what it answers, and when, is a test's to say.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/reactor.h"
#include "gateway/http_client.h"

namespace sluice::test {

// What all shards' clients do, and what happened to them.
struct Script {
  using Kind = HttpReply::Kind;

  struct Fate {
    Duration after;
    Kind kind;
    int status;
    std::string body;
  };
  std::function<Fate(std::string_view json)> fate;
  std::vector<std::string> asked;
  std::vector<std::string> fields;  // more header fields of each
  std::size_t under_way = 0;
  std::size_t most_under_way = 0;  // of all shards
};

// Owned by its shard; outlived by the script.
class ScriptedClient final : public HttpClient {
 public:
  ScriptedClient(Reactor& reactor, Script& script) : reactor_(reactor), script_(script) {}
  ~ScriptedClient() override { script_.under_way -= pending_.size(); }

  void post(const HttpPost& post, HttpReplySink& sink) noexcept override {
    script_.asked.emplace_back(post.json);
    script_.fields.emplace_back(post.fields);
    script_.most_under_way = std::max(script_.most_under_way, ++script_.under_way);
    auto pending = std::make_unique<Pending>(*this, post, sink, script_.fate(post.json));
    Script::Fate& fate = pending->fate;
    if (fate.after > post.timeout) fate = {post.timeout, Script::Kind::kTimeout, 0, {}};
    if (fate.body.size() > post.reply_max) fate = {fate.after, Script::Kind::kTooLong, 0, {}};
    reactor_.timers().arm(pending->timer, reactor_.now() + fate.after);
    pending_.push_back(std::move(pending));
  }

 private:
  struct Pending {
    Pending(ScriptedClient& its_client, const HttpPost& its_post, HttpReplySink& its_sink,
            Script::Fate its_fate)
        : client(its_client),
          post(its_post),
          question(its_post.json),
          sink(its_sink),
          fate(std::move(its_fate)),
          timer([](void* self, Time) noexcept { static_cast<Pending*>(self)->settle(); }, this) {}
    void settle() {
      EXPECT_EQ(post.json, question) << "the question must stay as it was";
      --client.script_.under_way;
      sink.on_http_reply(post.request, {fate.kind, fate.status, fate.body});
      std::erase_if(client.pending_, [this](const auto& p) { return p.get() == this; });
    }

    ScriptedClient& client;
    HttpPost post;
    std::string question;
    HttpReplySink& sink;
    Script::Fate fate;
    Timer timer;
  };

  Reactor& reactor_;
  Script& script_;
  std::vector<std::unique_ptr<Pending>> pending_;
};

}  // namespace sluice::test
