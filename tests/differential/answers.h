// What the project's codecs answer to a case, for a judge outside of this program.
//
// The judges are other people's implementations, which speak Python. A case comes as a record and
// its answer goes back as one; `read_batch` and `write_batch` carry many at a time, so that a pipe
// is crossed seldom. Records have the form of core/base/serial.h: little-endian, texts with a
// 32-bit length before them. tests/differential/run.py is the other end.
#pragma once

#include <cstddef>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/serial.h"

namespace sluice::differential {

using Record = std::vector<std::byte>;

// The records of the next batch on standard input; false at its end. A broken batch is a fault of
// the driver and ends the program.
bool read_batch(std::vector<Record>& records);
// Writes as many to standard output.
void write_batch(const std::vector<Record>& records);

// Answers one record. Its first byte says which of the functions below is meant.
Record answer(ConstBytes record);

// Reads a stream of frames with a MessageReader, in pieces. Takes: role (0: server), max_message,
// window bits of the peer (0: it may not compress), its takeover, whether to save and load at each
// cut, the stream, the number of cuts and the ascending cuts. Answers an entry for each event: 1,
// kind, code, the error's label, payload; 2 if a saved state was refused; then 0.
void answer_reader(Reader& in, Writer& out);
// Writes frames. Takes entries until the end: what it is (0: of a server, 1: of a client, 2: a
// Close), then opcode, FIN, key and payload, or code and reason. Answers the bytes.
void answer_writer(Reader& in, Writer& out);
// Compresses messages. Takes: window bits, takeover, memory level, and the messages until the end.
// Answers the payload of each.
void answer_compressor(Reader& in, Writer& out);
// Reads a text as the dialects do. Takes the text and answers what json_answers.cc says.
void answer_json(Reader& in, Writer& out);

}  // namespace sluice::differential
