// Memory for codecs under test: every block is its own allocation, so that sanitizers see each byte
// read or written outside of it, and is accounted for.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <memory>

#include "core/base/buffer_source.h"

namespace sluice::test {

// Blocks of exactly the size asked for. Outlives what it lends to; fails the test if blocks are
// missing in the end. One thread.
class TestBuffers final : public BufferSource {
 public:
  ~TestBuffers() override {
    EXPECT_TRUE(blocks_.empty()) << blocks_.size() << " blocks were not given back";
  }

  Bytes take(std::size_t size) noexcept override {
    auto memory = std::make_unique<std::byte[]>(size + kReadSlack);
    const Bytes block(memory.get(), size);
    blocks_.emplace(block.data(), Entry{std::move(memory), size});
    ++takes_;
    held_ += size;
    held_max_ = std::max(held_max_, held_);
    return block;
  }

  void give(Bytes block) noexcept override {
    const auto found = blocks_.find(block.data());
    ASSERT_NE(found, blocks_.end()) << "this block was not taken here";
    EXPECT_EQ(found->second.size, block.size());
    held_ -= block.size();
    blocks_.erase(found);
  }

  std::size_t takes() const { return takes_; }
  std::size_t held() const { return held_; }
  std::size_t held_max() const { return held_max_; }

 private:
  struct Entry {
    std::unique_ptr<std::byte[]> memory;
    std::size_t size;
  };

  std::map<const std::byte*, Entry> blocks_;
  std::size_t takes_ = 0;
  std::size_t held_ = 0;
  std::size_t held_max_ = 0;
};

// A piece of input as a backend delivers it: writable, with readable bytes behind it that must stay
// as they are.
class InputPiece {
 public:
  explicit InputPiece(ConstBytes bytes)
      : memory_(std::make_unique<std::byte[]>(bytes.size() + kReadSlack)), size_(bytes.size()) {
    std::copy(bytes.begin(), bytes.end(), memory_.get());
    std::fill_n(memory_.get() + size_, kReadSlack, kFiller);
  }
  ~InputPiece() {
    for (std::size_t i = 0; i < kReadSlack; ++i) EXPECT_EQ(memory_[size_ + i], kFiller);
  }
  InputPiece(const InputPiece&) = delete;
  InputPiece& operator=(const InputPiece&) = delete;

  Bytes bytes() const { return {memory_.get(), size_}; }

 private:
  static constexpr std::byte kFiller{0xa5};

  std::unique_ptr<std::byte[]> memory_;
  std::size_t size_;
};

}  // namespace sluice::test
