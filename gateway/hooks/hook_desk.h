// The questions that a shard's sessions put to one hook of the application server.
//
// The server may be slow, dead, huge or lying, and only who asked may feel it. So a bounded number
// of questions is under way, a bounded number waits behind them, and what comes beyond is refused
// at once. Each has a time, in which it is tried again if no connection could be made - and never
// if the server may have seen it, since what it does with a question may not be ours to repeat.
//
// Invariants
//   1. Each question that `ask` takes gets exactly one on_hook_reply, never within that call,
//   unless
//      nobody waits for it any more or the shard ends.
//   2. Each question is counted once, with its outcome.
//   3. Questions are begun in the order in which they were asked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/random.h"
#include "core/handle.h"
#include "core/reactor.h"
#include "core/slab.h"
#include "gateway/hooks/hook_counters.h"
#include "gateway/hooks/hook_settings.h"
#include "gateway/http_client.h"
#include "gateway/storage/journal.h"
#include "proto/hooks/answer.h"
#include "proto/hooks/signature.h"

namespace sluice {

// Who asks. Called on the shard's thread.
class HookAsker {
 public:
  // Whether the session still waits for the answer to its question of that number.
  virtual bool waits_for_hook(Handle session, std::uint32_t number) noexcept = 0;
  // The body of an answer with status 200, which the asker has to read (HookDesk::judge); nothing
  // if there is none. Valid until the call returns. REQUIRES: the session waits for it.
  virtual void on_hook_reply(Handle session, std::uint32_t number,
                             std::optional<std::string_view> body) noexcept = 0;

 protected:
  ~HookAsker() = default;
};

// What the desks of a shard share; borrowed, and longer-lived than they.
struct HookParts {
  const HookSettings& settings;
  std::size_t shards;  // divide the bounds of the instance
  hooks::Signer& signer;
  Reactor& reactor;
  Random& random;
  HookCounters& counters;
  Journal* journal = nullptr;  // null: nothing outlives the process
};

// Owned by a shard, on its thread; ends before its HttpClient. Reads no answers.
class HookDesk final : private HttpReplySink {
 public:
  HookDesk(HookKind kind, const HookParts& parts, HttpClient& client, HookAsker& asker);

  // False: there is no room for more. `fields`: more header fields, as HttpPost has them.
  bool ask(Handle session, std::uint32_t number, std::string body,
           std::string_view fields) noexcept;

  // What the body of a reply says, counted. Nothing: that it must not happen, for want of an
  // answer.
  template <class Answered>
  std::optional<hooks::Answer<Answered>> judge(
      std::optional<std::string_view> body,
      std::optional<hooks::Answer<Answered>> (*read)(ConstBytes)) {
    if (!body) return std::nullopt;
    auto answer = read(as_bytes(*body));
    counters_.count(verdict_of(answer));
    return answer;
  }

 private:
  struct Question {
    Handle session;
    std::uint32_t number = 0;
    std::string body;
    std::string fields;
    Time asked_at{};
    Time deadline{};

    std::size_t size() const noexcept { return body.size() + fields.size(); }
  };
  // A question under way, or between two tries.
  struct Slot {
    Question question;
    std::string fields = {};  // with the signature of this try
    std::uint32_t tries = 0;
    Time again_at = Time::max();
  };

  template <class Answered>
  static HookOutcome verdict_of(const std::optional<hooks::Answer<Answered>>& answer) noexcept {
    if (!answer) return HookOutcome::kInvalid;
    if (std::holds_alternative<Answered>(*answer)) return HookOutcome::kAllowed;
    return std::holds_alternative<hooks::Error>(*answer) ? HookOutcome::kRefused
                                                         : HookOutcome::kDisconnected;
  }

  // HttpReplySink
  void on_http_reply(std::uint32_t place, const HttpReply& reply) noexcept override;
  void on_timer() noexcept;

  bool is_wanted(const Question& question) noexcept {
    return asker_.waits_for_hook(question.session, question.number);
  }
  void begin(Question question) noexcept;
  void send(std::uint32_t place) noexcept;
  bool may_try_again(Slot& slot) noexcept;
  void settle(std::uint32_t place, HookOutcome outcome,
              std::optional<std::string_view> body) noexcept;
  void finish(const Question& question, HookOutcome outcome,
              std::optional<std::string_view> body) noexcept;
  void go_on() noexcept;
  void report() noexcept;

  const HookSettings& settings_;
  const std::size_t concurrency_;
  const std::size_t queue_max_;
  const std::size_t bytes_max_;
  hooks::Signer& signer_;
  Reactor& reactor_;
  Random& random_;
  HttpClient& client_;
  HookAsker& asker_;
  HookCounters::OfKind& counters_;
  Slab<Slot, 16> slots_;        // a post refers to its body, so none may move
  std::deque<Question> queue_;  // in order of deadlines
  std::size_t bytes_ = 0;       // of all questions
  Timer timer_;
};

}  // namespace sluice
