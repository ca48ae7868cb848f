// Clients of a simulated instance that keeps things on disk: those who publish and ask over the
// API, those who follow channels, and users of the relay.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/sim/sim_network.h"
#include "core/sim/sim_stream.h"
#include "tests/sim/sim_world.h"
#include "tests/storage/kept_books.h"

namespace sluice::test {

inline const std::string kKeptApiKey = "secret";

// The number behind `key` in a JSON text, 0 if it is not there.
std::uint64_t number_in(std::string_view text, std::string_view key);
// The text between quotes behind `key`.
std::string text_in(std::string_view text, std::string_view key);

// One connection to the API, with one call at a time.
class ApiLine {
 public:
  ApiLine(SimNetwork& network, const SocketAddress& address) : stream_(network.connect(address)) {}

  void call(std::string_view method, std::string_view body);
  // The answer's status and body, once it is here.
  struct Answer {
    int status = 0;
    std::string body;
  };
  std::optional<Answer> poll();

 private:
  std::unique_ptr<SimStream> stream_;
  std::string received_;
};

// Publishes one message after the other. What was not answered, or refused, is tried again under
// the same key, or left.
class KeptPublisher {
 public:
  KeptPublisher(KeptBooks& books, Random& random, std::vector<std::string> targets)
      : books_(books), random_(random), targets_(std::move(targets)) {}

  void begin_life(SimNetwork& network, const SocketAddress& address);
  // Takes an answer, and begins the next call if `goes_on`. `users`: those who may be there.
  void poll(Time now, bool goes_on, const std::set<std::string>& users);
  void end_life() {
    line_.reset();
    is_waiting_ = false;
  }
  bool is_waiting() const { return is_waiting_; }
  std::uint64_t refused() const { return refused_; }

 private:
  void publish();
  void take(const ApiLine::Answer& answer, Time now);

  KeptBooks& books_;
  Random& random_;
  const std::vector<std::string> targets_;
  std::unique_ptr<ApiLine> line_;
  std::uint64_t number_ = 0;  // what is being published; 0: the next one is new
  bool is_waiting_ = false;
  Time next_at_;
  std::uint64_t refused_ = 0;
};

// Follows one channel by the Centrifuge protocol, from life to life.
class KeptFollower {
 public:
  KeptFollower(KeptBooks& books, std::string channel)
      : books_(books), channel_(std::move(channel)) {}

  void begin_life(SimNetwork& network, const SocketAddress& address);
  void poll();
  void end_life() { client_.reset(); }

 private:
  void take(const std::string& line);
  void hear(std::uint64_t offset, std::uint64_t number);

  KeptBooks& books_;
  const std::string channel_;
  std::unique_ptr<SimClient> client_;
  std::string epoch_;
  std::uint64_t offset_ = 0;
};

// A user of the relay.
class KeptReader {
 public:
  KeptReader(KeptBooks& books, std::string user) : books_(books), user_(std::move(user)) {}

  const std::string& user() const { return user_; }
  // Whether it was reset since it was asked last: what was on its way to it is lost.
  bool take_reset() { return std::exchange(was_reset_, false); }
  bool is_there() const { return client_ != nullptr; }
  // `reads`: or looks away until it leaves, or the instance has ended.
  void come(SimNetwork& network, const SocketAddress& address, bool reads);
  void look() {
    if (client_ != nullptr) client_->stream().set_reading(true);
  }
  // Says so, and goes once it has all that comes before the answer.
  void leave();
  void poll();
  void end_life() { client_.reset(); }

 private:
  KeptBooks& books_;
  const std::string user_;
  std::unique_ptr<SimClient> client_;
  bool was_reset_ = false;
};

}  // namespace sluice::test
