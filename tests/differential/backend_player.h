// Plays a case's clients on one side and writes down what comes back.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/differential/backend_case.h"

namespace sluice::differential {

// A client's end of a connection. Sends and receives as its side is turned; never waits.
class Peer {
 public:
  virtual ~Peer() = default;
  virtual void send(std::string_view bytes) = 0;
  virtual void finish() = 0;  // FIN behind what was sent
  virtual const std::string& received() const = 0;
  virtual bool has_ended() const = 0;  // the other side has, properly or not
  virtual bool is_reset() const = 0;
};

// Lives for one case on one side. Does not turn the side.
class Player {
 public:
  using Connect = std::function<std::unique_ptr<Peer>()>;
  Player(const BackendCase& played, const Connect& connect);

  // Goes as far as it can; true when the case has been played.
  bool advance();
  // What each client got. Left out or put in an order of its own, because time decides about it:
  //   - the moment in a response's Date;
  //   - pongs: they may overtake messages that were not begun, so they stand behind these;
  //   - the pongs with which a step waits until all has settled.
  std::string transcript() const;

 private:
  bool has_settled();
  bool has_come(const Step& step);
  void send(const Step& step);

  const BackendCase& played_;
  std::vector<std::unique_ptr<Peer>> peers_;
  std::vector<bool> is_talking_;  // has sent something
  std::size_t step_ = 0;
  bool sent_ = false;
  // Of the wait until all has settled: who is asked, how often, and whether the ping is out.
  std::size_t asked_ = 0;
  unsigned round_ = 0;
  bool is_asking_ = false;
  std::size_t questions_ = 0;
};

}  // namespace sluice::differential
