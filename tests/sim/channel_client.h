// A client of the Centrifuge protocol that judges what it hears.
//
// Of a channel with a history it knows a position, across its sessions, as the protocol's own
// clients do: publications come one by one behind it, a recovery brings exactly what is missing,
// and is refused only if the history cannot reach back so far. What an offset stands for is the
// same for everybody. Answers come in the order of commands.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice::test {

using Wrong = std::optional<std::string>;

// The number or text behind the first `key` in a text, 0 or empty if there is none.
std::uint64_t number_after(std::string_view text, std::string_view key);
std::string text_after(std::string_view text, std::string_view key);

// What was published where, as far as anybody has been told. One for all clients.
class ChannelTruth {
 public:
  // `data` is what came with this offset; wrong if it was something else for somebody.
  Wrong heard(const std::string& channel, const std::string& epoch, std::uint64_t offset,
              const std::string& data);

 private:
  std::map<std::pair<std::string, std::string>, std::map<std::uint64_t, std::string>> all_;
};

class ChannelClient {
 public:
  struct Place {
    std::string epoch;
    std::uint64_t offset = 0;
    friend bool operator==(const Place&, const Place&) = default;
  };

  // `kept`: publications that a channel's history keeps. Channels that begin with "hist" have one.
  ChannelClient(ChannelTruth& truth, std::uint64_t kept) : truth_(&truth), kept_(kept) {}

  // Commands, for the network. A new session begins with `connect`.
  std::string connect();
  std::string subscribe(const std::string& channel);
  std::string unsubscribe(const std::string& channel);
  std::string publish(const std::string& channel, const std::string& data);

  // One message of the gateway's; what is wrong with it, if anything.
  Wrong hear(const std::string& message);

  bool is_connected() const noexcept { return is_connected_; }
  bool follows(const std::string& channel) const { return followed_.contains(channel); }
  bool is_waiting() const noexcept { return !asked_.empty(); }
  bool is_waiting_for(const std::string& channel) const;
  std::optional<Place> place(const std::string& channel) const;
  // Pings that want an answer, given once.
  int take_pings() noexcept { return std::exchange(pings_, 0); }
  int recoveries() const noexcept { return recoveries_; }

 private:
  struct Asked {
    std::uint64_t id = 0;
    std::string what;
    std::string channel;
    std::optional<Place> had;
  };

  std::string ask(std::string_view what, const std::string& channel, const std::string& members,
                  std::optional<Place> had = {});
  Wrong hear_answer(const std::string& message);
  Wrong hear_push(const std::string& message);
  Wrong subscribed(const Asked& asked, const std::string& message);
  Wrong recovered(const Asked& asked, const std::string& epoch, const std::string& list);

  ChannelTruth* truth_;
  std::uint64_t kept_;
  std::map<std::string, Place> places_;  // of all sessions
  std::map<std::string, bool> followed_;
  std::deque<Asked> asked_;
  std::uint64_t last_id_ = 0;
  bool is_connected_ = false;
  int pings_ = 0;
  int recoveries_ = 0;
};

}  // namespace sluice::test
