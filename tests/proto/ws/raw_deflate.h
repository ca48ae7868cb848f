// zlib's own raw DEFLATE, to test ours against.
#pragma once

#include <gtest/gtest.h>
#include <zlib.h>

#include <string>
#include <string_view>

#include "core/base/random.h"

namespace sluice::test {

// The payloads of a sender's compressed messages (RFC 7692 7.2.1).
class RawDeflate {
 public:
  explicit RawDeflate(int window_bits = 15, int level = 6, int memory_level = 8) {
    EXPECT_EQ(deflateInit2(&z_, level, Z_DEFLATED, -window_bits, memory_level, Z_DEFAULT_STRATEGY),
              Z_OK);
  }
  ~RawDeflate() { deflateEnd(&z_); }
  RawDeflate(const RawDeflate&) = delete;
  RawDeflate& operator=(const RawDeflate&) = delete;

  // Everything up to and including the flush.
  std::string flush(std::string_view text, int how) {
    std::string out(deflateBound(&z_, text.size()) + 64, '\0');
    z_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    z_.avail_in = static_cast<uInt>(text.size());
    z_.next_out = reinterpret_cast<Bytef*>(out.data());
    z_.avail_out = static_cast<uInt>(out.size());
    deflate(&z_, how);
    EXPECT_EQ(z_.avail_in, 0u);
    EXPECT_NE(z_.avail_out, 0u);
    out.resize(out.size() - z_.avail_out);
    return out;
  }
  std::string message(std::string_view text) {
    if (text.empty()) return std::string(1, '\0');
    std::string out = flush(text, Z_SYNC_FLUSH);
    EXPECT_TRUE(out.ends_with(std::string_view("\0\0\xff\xff", 4)));
    out.resize(out.size() - 4);
    return out;
  }
  void reset() { EXPECT_EQ(deflateReset(&z_), Z_OK); }

 private:
  z_stream z_{};
};

// Inflates the payloads of compressed messages, strictly within a window.
class RawInflate {
 public:
  explicit RawInflate(int window_bits = 15) { EXPECT_EQ(inflateInit2(&z_, -window_bits), Z_OK); }
  ~RawInflate() { inflateEnd(&z_); }
  RawInflate(const RawInflate&) = delete;
  RawInflate& operator=(const RawInflate&) = delete;

  // `step`: bytes of output at a time; 1 makes zlib look for everything in its window.
  std::string message(std::string_view payload, std::size_t step = 4096) {
    std::string in(payload);
    in.append("\0\0\xff\xff", 4);
    std::string out;
    std::string piece(step, '\0');
    z_.next_in = reinterpret_cast<Bytef*>(in.data());
    z_.avail_in = static_cast<uInt>(in.size());
    for (;;) {
      z_.next_out = reinterpret_cast<Bytef*>(piece.data());
      z_.avail_out = static_cast<uInt>(step);
      const int outcome = inflate(&z_, Z_SYNC_FLUSH);
      out.append(piece, 0, step - z_.avail_out);
      if (outcome != Z_OK && outcome != Z_BUF_ERROR) {
        ADD_FAILURE() << "inflate: " << outcome << " " << (z_.msg == nullptr ? "" : z_.msg);
        return out;
      }
      if (z_.avail_out != 0) return out;
    }
  }
  void reset() { EXPECT_EQ(inflateReset(&z_), Z_OK); }

 private:
  z_stream z_{};
};

// Text as chats send it (compressible), or bytes that nothing can compress.
inline std::string random_message(Random& random, std::size_t size, bool compressible) {
  std::string out;
  while (out.size() < size) {
    if (compressible && out.size() > 300 && random.chance(1, 2)) {
      const std::size_t back = 1 + random.below(out.size());
      out += out.substr(out.size() - back, 3 + random.below(200));
    } else if (compressible) {
      out += "{\"msg_type\":\"message\",\"n\":" + std::to_string(random.below(1000)) + "}";
    } else {
      out += static_cast<char>(random.next());
    }
  }
  out.resize(size);
  return out;
}

}  // namespace sluice::test
