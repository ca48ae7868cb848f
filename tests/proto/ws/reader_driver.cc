#include "tests/proto/ws/reader_driver.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <numeric>

#include "tests/proto/ws/test_buffers.h"

namespace sluice::test {
namespace {

// Printable characters as they are, others as \xHH; long payloads by size and FNV-1a hash.
std::string quote(ConstBytes bytes) {
  if (bytes.size() > 400) {
    std::uint64_t hash = 0xcbf29ce484222325u;
    for (const std::byte byte : bytes) {
      hash = (hash ^ static_cast<std::uint64_t>(byte)) * 0x100000001b3u;
    }
    return fmt::format("<{} bytes, {:016x}>", bytes.size(), hash);
  }
  std::string out = "\"";
  for (const std::byte byte : bytes) {
    const auto c = static_cast<unsigned char>(byte);
    if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') {
      out += static_cast<char>(c);
    } else {
      out += fmt::format("\\x{:02x}", c);
    }
  }
  return out + '"';
}

void feed(ws::MessageReader& reader, ConstBytes piece, EventLog& events) {
  const InputPiece memory(piece);
  Bytes input = memory.bytes();
  for (;;) {
    const ws::Event event = reader.next(input);
    if (event.kind == ws::EventKind::kNone) break;
    events.push_back(to_line(event));
  }
  EXPECT_TRUE(input.empty()) << "kNone, but input is left";
}

void freeze_and_thaw(const ws::ReaderContext& context, ws::MessageReader& reader) {
  std::vector<std::byte> saved;
  reader.save(saved);
  ConstBytes input = saved;
  auto loaded = ws::MessageReader::load(context, input);
  ASSERT_TRUE(loaded.has_value()) << loaded.error();
  EXPECT_TRUE(input.empty());
  reader = std::move(*loaded);
}

}  // namespace

std::string to_line(const ws::Event& event) {
  switch (event.kind) {
    case ws::EventKind::kNone:
      return "none";
    case ws::EventKind::kText:
      return "text " + quote(event.payload);
    case ws::EventKind::kBinary:
      return "binary " + quote(event.payload);
    case ws::EventKind::kPing:
      return "ping " + quote(event.payload);
    case ws::EventKind::kPong:
      return "pong " + quote(event.payload);
    case ws::EventKind::kClose:
      return fmt::format("close {} {}", event.code, quote(event.payload));
    case ws::EventKind::kError:
      return fmt::format("error {} {}", event.code, ws::describe(event.error).label);
  }
  return "unknown";
}

ReaderRun run_reader(const ws::ReaderContext& context, ConstBytes stream,
                     const std::vector<std::size_t>& cuts, bool thaw,
                     std::optional<ws::DeflateSide> peer) {
  ReaderRun run;
  ws::MessageReader reader = peer ? ws::MessageReader(context, *peer) : ws::MessageReader(context);
  std::size_t from = 0;
  for (const std::size_t cut : cuts) {
    feed(reader, stream.subspan(from, cut - from), run.events);
    if (thaw) freeze_and_thaw(context, reader);
    from = cut;
  }
  feed(reader, stream.subspan(from), run.events);
  run.is_unfinished = reader.is_unfinished();
  if (!run.is_unfinished) {
    EXPECT_EQ(reader.held_bytes(), 0u);
  }
  return run;
}

std::vector<Simd> all_simd() {
  std::vector<Simd> found;
  for (const SimdLevel level :
       {SimdLevel::kScalar, SimdLevel::kSse2, SimdLevel::kAvx2, SimdLevel::kAvx512}) {
    if (Simd::supports(level)) found.push_back(Simd::of(level));
  }
  return found;
}

void expect_same_at_every_split(const ws::ReaderContext& context, ConstBytes stream,
                                const EventLog& events, std::optional<ws::DeflateSide> peer) {
  const ReaderRun whole = run_reader(context, stream, {}, false, peer);
  EXPECT_EQ(whole.events, events);
  std::vector<std::size_t> everywhere(stream.size());
  std::iota(everywhere.begin(), everywhere.end(), 0);
  for (const bool thaw : {false, true}) {
    for (const std::size_t cut : everywhere) {
      const ReaderRun run = run_reader(context, stream, {cut}, thaw, peer);
      ASSERT_EQ(run.events, events) << "cut at " << cut << (thaw ? ", thawed" : "");
      ASSERT_EQ(run.is_unfinished, whole.is_unfinished) << "cut at " << cut;
    }
    const ReaderRun run = run_reader(context, stream, everywhere, thaw, peer);
    ASSERT_EQ(run.events, events) << "byte by byte" << (thaw ? ", thawed" : "");
    ASSERT_EQ(run.is_unfinished, whole.is_unfinished) << "byte by byte";
  }
}

void expect_forged_is_harmless(const ws::ReaderContext& context, std::vector<std::byte> saved,
                               Random& random) {
  for (std::uint64_t n = 1 + random.below(3); n > 0; --n) {
    saved[random.below(saved.size())] = static_cast<std::byte>(random.next());
  }
  ConstBytes input = saved;
  auto loaded = ws::MessageReader::load(context, input);
  if (!loaded) return;
  std::vector<std::byte> more(300);
  for (std::byte& byte : more) byte = static_cast<std::byte>(random.next());
  Bytes rest = more;
  while (loaded->next(rest).kind != ws::EventKind::kNone) {
  }
  EXPECT_TRUE(rest.empty());
}

}  // namespace sluice::test
