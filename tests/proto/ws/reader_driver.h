// Feeds a byte stream to a MessageReader in pieces and writes down what it reports.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/random.h"
#include "proto/ws/message_reader.h"

namespace sluice::test {

// One line per event: `text "abc"`, `ping ""`, `close 1000 "bye"`, `error 1002 reserved_bits`.
using EventLog = std::vector<std::string>;

std::string to_line(const ws::Event& event);

struct ReaderRun {
  EventLog events;
  bool is_unfinished = false;  // at the end of the input
};

// `cuts`: ascending offsets at which the stream is cut. With `thaw` the reader is saved and loaded
// into a new one at each of them. `peer`: how the peer may compress, if it may.
ReaderRun run_reader(const ws::ReaderContext& context, ConstBytes stream,
                     const std::vector<std::size_t>& cuts, bool thaw = false,
                     std::optional<ws::DeflateSide> peer = std::nullopt);

// All levels of instructions that this machine has.
std::vector<Simd> all_simd();

// Requires the same events from the stream whole, cut in two at every offset, and byte by byte;
// each with and without saving in between. `events` are those of the whole.
void expect_same_at_every_split(const ws::ReaderContext& context, ConstBytes stream,
                                const EventLog& events,
                                std::optional<ws::DeflateSide> peer = std::nullopt);

// A saved state in which a few bytes were forged, drawn from `random`: loading it is refused, or
// the reader that it makes can be fed.
void expect_forged_is_harmless(const ws::ReaderContext& context, std::vector<std::byte> saved,
                               Random& random);

}  // namespace sluice::test
