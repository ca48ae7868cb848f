// One request of an application server, from its body to the answer.
//
// What it asks for is put to the homes of the channels it names without waiting in between: the
// order of what concerns one channel is kept on the way there, so a batch has the outcome of its
// commands one after the other. Only commands with long answers (history, lists) wait for one
// another. The answer is complete when all homes have answered.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/handle.h"
#include "gateway/api/api_desk.h"
#include "gateway/broker.h"
#include "gateway/endpoints.h"
#include "gateway/router.h"
#include "gateway/shard_message.h"
#include "proto/api/answer.h"
#include "proto/api/errors.h"
#include "proto/api/lines.h"
#include "proto/api/request.h"

namespace sluice {

// What a call needs of its shard; borrowed.
struct ApiParts {
  ApiDesk& desk;
  Router& router;
  const Namespaces& namespaces;
  const Limits& limits;
  ShardCounters& counters;
  const InstanceView& instance;
  std::uint32_t shards;
  bool has_storage;  // what is kept can be on disk
};

// Owned by the HttpStage that the request came to; the shard's thread.
class ApiCall {
 public:
  struct Answer {
    int status = 200;
    std::string body;
    bool is_json = true;
    bool may_retry = false;  // it could not be done now
  };

  // `transport_errors`: the status tells what went wrong (X-Centrifugo-Error-Mode: transport).
  ApiCall(const ApiParts& parts, Handle stage, bool transport_errors) noexcept
      : parts_(parts), stage_(stage), transport_errors_(transport_errors) {}

  // Reads the request and asks; `next_request` numbers the questions and is moved on. `body` is not
  // needed any more afterwards.
  void begin(api::Method method, std::string_view body, std::uint32_t& next_request);
  // The same for commands in lines.
  void begin_lines(std::string_view body, std::uint32_t& next_request);
  // The answer to one of the questions; others are ignored. May ask on.
  void on_answer(const ShardMessage& message, std::uint32_t& next_request);
  bool is_complete() const noexcept { return due_ == 0 && !batch_; }
  // REQUIRES: is_complete, once.
  Answer take_answer();

 private:
  // What became of one publication.
  struct Published {
    Position position;  // epoch 0: it has none
    std::optional<api::Refusal> refusal;
  };
  struct ChannelCount {
    std::string name;
    std::uint32_t subscribers;
  };
  // The request, or one command of a batch.
  struct Reply {
    api::Method method = api::Method::kPublish;
    std::string text;                     // the answer, once it is known
    std::optional<api::Refusal> refusal;  // or this is
    std::uint32_t due = 0;                // answers to come
    bool is_since = false;                // of history
    std::vector<Published> published;     // of broadcast, by channel
    std::vector<ChannelCount> channels;   // of channels
  };
  // A name that a Router understands.
  struct Target {
    std::string_view channel;
    const ChannelOptions* options;
  };

  void run(std::size_t reply, api::Method method, std::string_view body);
  void go_on();
  Question question(std::size_t reply, std::uint32_t detail = 0, std::uint8_t flags = 0);
  Result<Target, api::Refusal> target_of(std::string_view channel);
  std::optional<api::Refusal> publish(std::size_t reply, std::uint32_t detail,
                                      std::string_view channel, const api::Message& message);
  std::optional<api::Refusal> sync_refusal(const Target& target, const api::Message& message) const;
  void tell_user(std::size_t reply, const api::Selection& who, Control control);
  void complete(Reply& reply, const ShardMessage& message, std::uint32_t detail);
  void complete_members(Reply& reply, const ShardMessage& message);
  void complete_history(Reply& reply, const ShardMessage& message);
  void write_broadcast(Reply& reply);
  void write_channels(Reply& reply);

  void refuse(Reply& reply, const api::Refusal& refusal);
  api::Place place() const noexcept {
    return form_ == Form::kBatch ? api::Place::kBatch : api::Place::kBody;
  }
  // By kind of request.
  void ask(std::size_t reply, const api::Publish& request);
  void ask(std::size_t reply, const api::Broadcast& request);
  void ask(std::size_t reply, const api::Subscribe& request);
  void ask(std::size_t reply, const api::Unsubscribe& request);
  void ask(std::size_t reply, const api::Disconnect& request);
  void ask(std::size_t reply, const api::Refresh& request);
  void ask(std::size_t reply, const api::Presence& request);
  void ask(std::size_t reply, const api::PresenceStats& request);
  void ask(std::size_t reply, const api::History& request);
  void ask(std::size_t reply, const api::HistoryRemove& request);
  void ask(std::size_t reply, const api::Channels& request);
  void ask(std::size_t reply, const api::Info& request);
  void ask(std::size_t reply, const api::ListConnections& request);
  void ask(std::size_t reply, const api::Batch& request);

  struct Asked {
    std::uint32_t request;
    std::size_t reply;
    std::uint32_t detail;
  };
  enum class Form : std::uint8_t { kOne, kBatch, kLines };
  // Several commands, of which not all were asked yet.
  struct BatchUnderWay {
    std::string body;
    std::variant<api::BatchWalk, api::LineWalk> walk;
    std::size_t next = 0;                   // reply
    std::optional<api::Command> held = {};  // waits for the long answers before it
  };

  const ApiParts parts_;
  const Handle stage_;
  const bool transport_errors_;
  Form form_ = Form::kOne;
  std::uint32_t* next_request_ = nullptr;  // while it begins
  std::uint32_t due_ = 0;
  std::uint32_t long_due_ = 0;       // of these, answers that may be long
  std::size_t published_bytes_ = 0;  // copies, one for each channel
  std::size_t answer_bytes_ = 0;
  std::unique_ptr<BatchUnderWay> batch_;
  std::vector<Reply> replies_;
  std::vector<Asked> questions_;  // in the order of requests, which rise
  std::string name_;              // of a channel that has two
  std::string tags_;
};

}  // namespace sluice
