// What the io_uring loop knows of one client.
//
// Output takes one of two ways. Most replies are sent from where their request arrived (`reply`);
// whatever cannot be - a second piece within a turn, a pong to a broadcaster, output behind a send
// that has to wait - is gathered in `pending` and moves to `sending` when it is submitted.
#pragma once

#include <cstddef>
#include <vector>

#include "core/base/bytes.h"

namespace sluice::bare {

// Lives in the loop's table at the index of its registered file; the loop's thread only.
struct UringClient {
  bool is_used = false;
  bool is_open = false;     // the handshake is done
  bool is_closing = false;  // nothing more is taken from it; closed when no operation refers to it
  bool is_cancelled = false;
  bool is_dirty = false;  // in the list of this turn's senders
  bool is_receiving = false;
  bool is_subscriber = false;
  bool is_sending_rest = false;  // a send that waits for room; until it is done output is kept
  std::size_t subscriber_index = 0;
  ConstBytes reply;                // this turn's output, where the kernel delivered the request
  std::vector<std::byte> pending;  // output that is not in such a buffer
  std::vector<std::byte> sending;  // what a submitted send refers to, when it was `pending`
  ConstBytes submitted;
  std::vector<std::byte> rest;  // the start of a frame or of a request
};

}  // namespace sluice::bare
