// The answer to update_clients: {"msg_type":"update_clients","clients":["baozi","anonymous"]}, with
// ,"more":n before the last brace when n clients found no room.
//
// Written piece by piece, because the nicknames live in sessions on several shards.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::dialect {

// The whole message, `more` included.
inline constexpr std::size_t kClientListBytesMax = std::size_t{1} << 20;

// What a connection is called that has said no nickname.
inline constexpr std::string_view kDefaultNickname = "anonymous";

// Writes one list into a string of the caller's, which must outlive it. Lives for one list, on the
// caller's stack; does not know who the clients are.
class ClientListEncoder {
 public:
  // Replaces what `out` held, but keeps its capacity: a caller that reuses one string stops
  // allocating. REQUIRES: bytes_max >= 128, room for an empty list.
  explicit ClientListEncoder(std::string& out, std::size_t bytes_max = kClientListBytesMax);

  // Adds one client in connection order; an empty nickname is listed as kDefaultNickname. Behind
  // the first that finds no room nobody is added, only counted, so the list is a true beginning.
  // REQUIRES: valid UTF-8.
  void add(std::string_view nickname);

  // Completes the message. REQUIRES: called once, last.
  void finish();

 private:
  std::string& out_;
  const std::size_t bytes_max_;
  std::uint64_t left_out_ = 0;
  bool is_first_ = true;
};

}  // namespace sluice::dialect
