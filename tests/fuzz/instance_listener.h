// The receiving end of a client: what an instance says to anybody is well-formed and in order.
//
// Messages that the play itself makes carry a mark: for whom, from which client, the how manieth,
// and a proof that no input can guess. Whatever else stands in messages is taken as it comes.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "proto/ws/inflate.h"
#include "proto/ws/message_reader.h"
#include "tests/proto/ws/test_buffers.h"

namespace sluice::fuzz {

// Where a marked message was for, and who said it.
struct Mark {
  std::string to;
  std::uint64_t speaker = 0;
  std::uint64_t number = 0;
};

// `to` has neither a dot nor a quotation mark.
std::string to_text(const Mark& mark, std::uint64_t secret);

// One client's ears. Owned by a play, one thread; does not send.
class Listener {
 public:
  Listener(test::TestBuffers& buffers, ws::InflatorPool& inflators, std::uint64_t secret);

  // Aborts on a wrong answer, a wrong frame, or a marked message that is not behind the one before
  // it of the same speaker to the same receiver.
  void hear(std::string bytes);
  // The client is or may become several users: what it has had as one may then come again.
  void may_hear_again() noexcept { is_one_user_ = false; }
  bool has_compression() const noexcept { return has_compression_; }
  // The newest `mid` of what wants to be acknowledged.
  const std::string& mid() const noexcept { return mid_; }
  // The newest position of the group chat that was in an answer.
  const std::string& position() const noexcept { return position_; }

 private:
  void open(std::size_t head_size);
  void find_position();
  void check_order(std::string_view text);

  ws::ReaderContext context_;
  ws::MessageReader reader_;
  const std::uint64_t secret_;
  std::string head_;
  std::string position_;
  std::string mid_;
  std::map<std::string, std::uint64_t, std::less<>> newest_;  // by receiver and speaker
  bool is_open_ = false;
  bool has_compression_ = false;
  bool is_one_user_ = true;
};

}  // namespace sluice::fuzz
