// Where a Backend keeps the pieces of a send that waits for room in its socket.
//
// `send` takes a span that need not outlive the call, and a blocked send needs its pieces later.
// Few connections are blocked at a time, so blocks are shared and named by a small index, and an
// idle connection carries four bytes instead of a kilobyte.
//
// Owned by one Backend, used on its thread. Blocks never move: the kernel may be reading one.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/backend.h"
#include "core/base/check.h"

namespace sluice {

struct Gather {
  msghdr header{};
  iovec pieces[Backend::kIovecMax];
};

class GatherPool {
 public:
  static constexpr std::uint32_t kNone = 0xffffffffu;

  // Copies the pieces and points the header at them. REQUIRES: 1 to kIovecMax pieces.
  std::uint32_t take(std::span<const iovec> pieces) {
    SLUICE_CHECK(!pieces.empty());
    SLUICE_CHECK(pieces.size() <= Backend::kIovecMax);
    if (free_.empty()) {
      free_.push_back(static_cast<std::uint32_t>(blocks_.size()));
      blocks_.push_back(std::make_unique_for_overwrite<Gather>());
    }
    const std::uint32_t index = free_.back();
    free_.pop_back();
    Gather& block = *blocks_[index];
    std::copy(pieces.begin(), pieces.end(), block.pieces);
    block.header = msghdr{};
    block.header.msg_iov = block.pieces;
    block.header.msg_iovlen = pieces.size();
    return index;
  }

  Gather& at(std::uint32_t index) noexcept { return *blocks_[index]; }
  void give(std::uint32_t index) { free_.push_back(index); }

 private:
  std::vector<std::unique_ptr<Gather>> blocks_;
  std::vector<std::uint32_t> free_;
};

}  // namespace sluice
