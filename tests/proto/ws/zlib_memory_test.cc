#include "proto/ws/zlib_memory.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include "tests/proto/ws/test_buffers.h"

namespace sluice::test {
namespace {

TEST(ZlibMemory, CountsWhatAStreamTakesAndGivesItBack) {
  TestBuffers buffers;
  ws::ZlibMemory memory(buffers);
  z_stream stream{};
  memory.serve(stream);
  EXPECT_EQ(memory.size(), 0u);
  ASSERT_EQ(deflateInit2(&stream, 1, Z_DEFLATED, -12, 5, Z_DEFAULT_STRATEGY), Z_OK);
  EXPECT_EQ(memory.size(), buffers.held());
  EXPECT_GT(memory.size(), 30'000u);
  EXPECT_LT(memory.size(), 40'000u);
  deflateEnd(&stream);
  EXPECT_EQ(memory.size(), 0u);
  EXPECT_EQ(buffers.held(), 0u);
}

TEST(ZlibMemory, TheLargestStreamsHaveRoom) {
  TestBuffers buffers;
  ws::ZlibMemory memory(buffers);
  z_stream stream{};
  memory.serve(stream);
  ASSERT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY), Z_OK);
  EXPECT_EQ(memory.size(), buffers.held());
  deflateEnd(&stream);
}

}  // namespace
}  // namespace sluice::test
