// What clients said and what they heard, and what must hold between the two.
//
// Whoever speaks numbers what one session says to one listener or group of them: a stream. The
// gateway reads it in order up to some message, so the numbers that it accepted have no holes.
// Hence a hole in what somebody heard is a message that the gateway dropped, and a gap message has
// to account for it; a number that comes late or again is a fault whatever happened.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace sluice::test {

// One message of a stream.
struct Said {
  std::string stream;
  int number = 0;
};

// The message as a client sends it: to the chat if `to_user` is empty. `padding`: bytes.
std::string message_text(std::string_view to_user, const Said& said, std::size_t padding);
// What `message_text` wrote; nothing if the text is something else.
std::optional<Said> said_in(const std::string& text);
// The mid that the gateway gave a message; empty if it has none.
std::string mid_in(const std::string& text);
// How many publications a gap message says are missing, 0 if it is none.
int missed_in(const std::string& text);

// Of one stream, what its speaker knows. Moments count what clients did, from 1.
struct Spoken {
  int said = 0;
  std::uint64_t began = 0;   // when the first message was sent
  bool has_arrived = false;  // the gateway has read everything
};
using SpokenStreams = std::map<std::string, Spoken, std::less<>>;

// What one session heard of the chat. Does not know the network.
class ChatListener {
 public:
  // `opened`: the moment from which on it hears everything; 0 until then.
  void open(std::uint64_t opened) noexcept { opened_ = opened; }
  // What is wrong with it, if anything.
  std::optional<std::string> hear(const std::string& text, const SpokenStreams& spoken);
  // Once nothing is on its way any more.
  std::optional<std::string> finish(const SpokenStreams& spoken);

 private:
  std::optional<std::string> judge() const;

  std::uint64_t opened_ = 0;
  std::map<std::string, int> last_;  // heard, by stream
  int holes_ = 0;
  int told_ = 0;
};

// What all sessions of one user of the relay heard. Users may have several devices.
class User {
 public:
  // By session of one device: numbers of a stream must rise.
  using Last = std::map<std::string, int>;

  std::optional<std::string> hear(const std::string& text, Last& last);
  // A session ended so that nobody knows what it has got.
  void lose_track() noexcept { is_known_ = false; }
  // The last session has fetched everything: whatever is missing was told. What was told is never
  // more than what is missing, if there was one device.
  std::optional<std::string> finish(const SpokenStreams& spoken, bool has_one_device) const;

 private:
  std::map<std::string, std::set<int>, std::less<>> heard_;
  int told_ = 0;
  bool is_known_ = true;
};

// What all sessions of one user of the relay heard that acknowledges what it is sent. Such a user
// loses nothing, however its sessions end.
class AcknowledgingUser {
 public:
  using Last = User::Last;

  // `last`: of this session.
  std::optional<std::string> hear(const std::string& text, Last& last);
  // Everything was fetched, or told missing.
  std::optional<std::string> finish(const SpokenStreams& spoken) const;

 private:
  std::map<std::string, std::map<int, std::string>, std::less<>> heard_;  // mids
  std::set<std::string> mids_;
  int told_ = 0;
};

}  // namespace sluice::test
