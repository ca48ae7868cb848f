// The messages of a run: what each sender sends, and what a receiver must find, byte for byte.
//
// A message is an envelope of the server's dialect around a stamp and a piece of a fixed pattern.
// The piece depends on sender and number, so bytes of one message never pass for another's;
// checking is two comparisons of memory, which costs the client less than the system call that
// brought them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "bench/ws_flood/options.h"
#include "bench/ws_flood/stamp.h"

namespace sluice::flood {

// Built once per run, then read only: all workers share it.
class Messages {
 public:
  // `run` keeps the ids of runs apart that share a server (relay). REQUIRES: options were checked.
  Messages(const Options& options, std::uint64_t run);

  static std::size_t smallest_size(Scenario scenario);

  std::size_t size() const noexcept { return size_; }

  // Writes size() bytes.
  void write(char* to, const Stamp& stamp) const noexcept;

  // False unless `message` is exactly what `write` makes of the stamp it carries.
  bool read(std::string_view message, Stamp& stamp) const noexcept;

  // Relay: names a connection, and a message from it to itself that proves it has been named.
  std::string naming(std::uint32_t connection) const;
  std::string to_itself(std::uint32_t connection) const;

 private:
  std::string id_of(std::uint32_t connection) const;
  std::string_view before(std::uint32_t sender) const noexcept;
  const char* filling(const Stamp& stamp) const noexcept;

  std::size_t size_;
  std::uint32_t senders_;
  std::string run_;
  std::string befores_;  // one for all, or one per sender
  std::size_t before_size_ = 0;
  std::size_t before_stride_ = 0;
  std::string after_;
  std::size_t filling_size_ = 0;
  std::string pattern_;
};

}  // namespace sluice::flood
