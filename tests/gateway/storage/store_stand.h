// A directory of a test's own, and records for stores.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/block_pool.h"
#include "core/payload.h"
#include "gateway/publication.h"
#include "gateway/storage/record.h"

namespace sluice::test {

// Gone with everything in it when this ends.
class ScratchDirectory {
 public:
  ScratchDirectory() {
    path_ = std::filesystem::temp_directory_path() / "sluice-test-XXXXXX";
    EXPECT_NE(::mkdtemp(path_.data()), nullptr);
  }
  ~ScratchDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;

  const std::string& path() const { return path_; }
  std::string file(std::string_view name) const { return path_ + "/" + std::string(name); }

 private:
  std::string path_;
};

inline WallTime wall(std::int64_t seconds) { return WallTime(std::chrono::seconds(seconds)); }

// Records in a row.
class Batch {
 public:
  Batch& channel(std::uint64_t id, std::string_view name, Position position,
                 ChannelState state = ChannelState::kClosed) {
    return put(ChannelRecord{id, state, position, 0, name});
  }
  Batch& append(std::uint64_t id, std::string_view name, Place place, std::uint64_t offset,
                std::string_view text) {
    const Publication made =
        make_publication(payloads_, name, {as_bytes(text), ws::Opcode::kText, {}});
    put(AppendRecord{id, place, made.frame_at, {1, offset}, wall(5), made.payload->bytes});
    payloads_.drop(*made.payload);
    return *this;
  }
  template <class Record>
  Batch& put(const Record& record) {
    write_record(bytes_, record);
    return *this;
  }
  ConstBytes bytes() const { return bytes_; }
  std::vector<std::byte> take() { return std::exchange(bytes_, {}); }

 private:
  BlockPool blocks_;
  PayloadPool payloads_{blocks_, 0};
  std::vector<std::byte> bytes_;
};

}  // namespace sluice::test
