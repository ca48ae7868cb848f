#include "gateway/config/compression.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

#include "gateway/config/options.h"

namespace sluice {
namespace {

ParseOutcome parse(const std::vector<std::string>& arguments, const Environment& env = {}) {
  std::vector<const char*> argv = {"sluice"};
  for (const std::string& argument : arguments) argv.push_back(argument.c_str());
  return parse_options(static_cast<int>(argv.size()), argv.data(), env);
}

TEST(CompressionOptions, AreOffAndModestByDefault) {
  const Compression compression = parse({}).options.compression;
  EXPECT_EQ(compression.mode, CompressionMode::kOff);
  EXPECT_EQ(compression.window_bits, 12);
  EXPECT_EQ(compression.memory_level, 5);
  EXPECT_EQ(compression.min_bytes, std::nullopt);
}

TEST(CompressionOptions, AreReadFromTheCommandLine) {
  const Compression compression =
      parse({"--compression", "dedicated", "--compression-window", "9",
             "--compression-memory-level=1", "--compression-min-size", "2KiB"})
          .options.compression;
  EXPECT_EQ(compression.mode, CompressionMode::kDedicated);
  EXPECT_EQ(compression.window_bits, 9);
  EXPECT_EQ(compression.memory_level, 1);
  EXPECT_EQ(compression.min_bytes, 2048u);
  EXPECT_EQ(parse({"--compression=off"}).options.compression.mode, CompressionMode::kOff);
}

TEST(CompressionOptions, AreReadFromTheEnvironmentAndTheFile) {
  const std::string path =
      ::testing::TempDir() + "sluice_compression_test_" + std::to_string(::getpid());
  std::ofstream(path) << "compression = \"dedicated\"\ncompression_window = 15\n"
                         "compression_memory_level = 9\ncompression_min_size = \"1B\"\n";
  const Environment env = {{"SLUICE_COMPRESSION", "shared"}, {"SLUICE_COMPRESSION_WINDOW", "10"}};
  const Compression compression = parse({"--config", path}, env).options.compression;
  ::unlink(path.c_str());
  EXPECT_EQ(compression.mode, CompressionMode::kShared);
  EXPECT_EQ(compression.window_bits, 10);
  EXPECT_EQ(compression.memory_level, 9);
  EXPECT_EQ(compression.min_bytes, 1u);
}

TEST(CompressionOptions, AreShownAsTheyAreWritten) {
  const std::string shown =
      parse({"--compression", "shared", "--compression-min-size", "1KiB", "--check-config"}).out;
  for (const char* line : {"compression = \"shared\"", "compression_window = 12",
                           "compression_memory_level = 5", "compression_min_size = \"1KiB\""}) {
    EXPECT_NE(shown.find(line), std::string::npos) << line << " in " << shown;
  }
}

TEST(CompressionOptions, AreRefusedWithTheRemedy) {
  const auto refusal = [](const char* flag, const char* value) { return parse({flag, value}).err; };
  EXPECT_EQ(refusal("--compression", "on"),
            "sluice: --compression: cannot read 'on': choose off, shared or dedicated\n");
  EXPECT_EQ(refusal("--compression-window", "8"),
            "sluice: --compression-window: 8 is out of range; choose 9 to 15\n");
  EXPECT_EQ(refusal("--compression-window", "16"),
            "sluice: --compression-window: 16 is out of range; choose 9 to 15\n");
  EXPECT_EQ(refusal("--compression-memory-level", "0"),
            "sluice: --compression-memory-level: 0 is out of range; choose 1 to 9\n");
  EXPECT_EQ(refusal("--compression-memory-level", "10"),
            "sluice: --compression-memory-level: 10 is out of range; choose 1 to 9\n");
  EXPECT_EQ(refusal("--compression-min-size", "2GiB"),
            "sluice: --compression-min-size: 2GiB is out of range; choose 0B to 1GiB\n");
  EXPECT_TRUE(std::string(refusal("--compression-min-size", "x"))
                  .starts_with("sluice: --compression-min-size: cannot read 'x'"));
}

TEST(Compression, ShortMessagesPayOnlyWhereTheyReferToOthers) {
  Compression compression;
  compression.mode = CompressionMode::kShared;
  EXPECT_EQ(compression.min_size(), 512u);
  compression.mode = CompressionMode::kDedicated;
  EXPECT_EQ(compression.min_size(), 1u);
  compression.min_bytes = 100;
  EXPECT_EQ(compression.min_size(), 100u);
}

TEST(Compression, OnlyDedicatedCompressorsRemember) {
  Compression compression;
  compression.window_bits = 10;
  compression.mode = CompressionMode::kShared;
  EXPECT_FALSE(compression.deflate().takeover);
  EXPECT_EQ(compression.deflate().window_bits, 10);
  compression.mode = CompressionMode::kDedicated;
  EXPECT_TRUE(compression.deflate().takeover);
}

}  // namespace
}  // namespace sluice
