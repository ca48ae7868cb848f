#include "tests/differential/answers.h"

#include <cstdio>
#include <cstdlib>

#include "core/base/check.h"

namespace sluice::differential {
namespace {

// True if all of it was read.
bool read_exactly(void* to, std::size_t size) { return std::fread(to, 1, size, stdin) == size; }

}  // namespace

bool read_batch(std::vector<Record>& records) {
  std::uint32_t size = 0;
  if (!read_exactly(&size, sizeof(size))) return false;
  Record batch(size);
  SLUICE_CHECK(read_exactly(batch.data(), batch.size()));
  records.clear();
  Reader reader(batch);
  while (reader.ok() && !reader.rest().empty()) {
    const ConstBytes record = reader.get_bytes();
    records.emplace_back(record.begin(), record.end());  // of exactly its size, for sanitizers
  }
  SLUICE_CHECK(reader.ok());
  return true;
}

void write_batch(const std::vector<Record>& records) {
  Record batch;
  Writer writer(batch);
  for (const Record& record : records) writer.put_bytes(record);
  const auto size = static_cast<std::uint32_t>(batch.size());
  SLUICE_CHECK(std::fwrite(&size, sizeof(size), 1, stdout) == 1);
  SLUICE_CHECK(std::fwrite(batch.data(), 1, batch.size(), stdout) == batch.size());
  SLUICE_CHECK(std::fflush(stdout) == 0);
}

Record answer(ConstBytes record) {
  Record out;
  Writer writer(out);
  Reader in(record);
  switch (in.get<char>()) {
    case 'r':
      answer_reader(in, writer);
      break;
    case 'w':
      answer_writer(in, writer);
      break;
    case 'c':
      answer_compressor(in, writer);
      break;
    case 'j':
      answer_json(in, writer);
      break;
    default:
      in.fail();
  }
  SLUICE_CHECK(in.ok());
  return out;
}

}  // namespace sluice::differential
