#include "gateway/storage/record.h"

#include "core/base/check.h"
#include "core/base/serial.h"

namespace sluice {
namespace {

enum class Kind : std::uint8_t {
  kChannel,
  kState,
  kAppend,
  kCut,
  kTake,
  kDrop,
  kReplace,
  kMissed,
  kId,
  kEvent,
  kEventGone,
};

std::int64_t ticks(WallTime time) noexcept { return time.time_since_epoch().count(); }
WallTime time_of(std::int64_t ticks) noexcept { return WallTime(Duration(ticks)); }

}  // namespace

void write_record(std::vector<std::byte>& out, const ChannelRecord& record) {
  Writer writer(out);
  writer.put(Kind::kChannel);
  writer.put(record.id);
  writer.put(record.state);
  writer.put(record.position.epoch);
  writer.put(record.position.offset);
  writer.put(record.missed);
  writer.put_text(record.name);
}

void write_record(std::vector<std::byte>& out, const StateRecord& record) {
  Writer writer(out);
  writer.put(Kind::kState);
  writer.put(record.id);
  writer.put(record.state);
  writer.put(record.position.epoch);
  writer.put(record.position.offset);
}

void write_record(std::vector<std::byte>& out, const AppendRecord& record) {
  Writer writer(out);
  writer.put(Kind::kAppend);
  writer.put(record.id);
  writer.put(record.place);
  writer.put(record.frame_at);
  writer.put(record.position.epoch);
  writer.put(record.position.offset);
  writer.put(ticks(record.stored_at));
  writer.put_bytes(record.bytes);
}

void write_record(std::vector<std::byte>& out, const CutRecord& record) {
  Writer writer(out);
  writer.put(Kind::kCut);
  writer.put(record.id);
  writer.put(record.place);
  writer.put(record.up_to);
}

void write_record(std::vector<std::byte>& out, const TakeRecord& record) {
  Writer writer(out);
  writer.put(Kind::kTake);
  writer.put(record.id);
  writer.put(record.offset);
}

void write_record(std::vector<std::byte>& out, const DropRecord& record) {
  Writer writer(out);
  writer.put(Kind::kDrop);
  writer.put(record.id);
}

void write_record(std::vector<std::byte>& out, const ReplaceRecord& record) {
  Writer writer(out);
  writer.put(Kind::kReplace);
  writer.put(record.id);
  writer.put(record.old_id);
}

void write_record(std::vector<std::byte>& out, const MissedRecord& record) {
  Writer writer(out);
  writer.put(Kind::kMissed);
  writer.put(record.id);
  writer.put(record.missed);
}

void write_record(std::vector<std::byte>& out, const IdRecord& record) {
  Writer writer(out);
  writer.put(Kind::kId);
  writer.put(record.position.epoch);
  writer.put(record.position.offset);
  writer.put(ticks(record.until));
  writer.put_text(record.key);
}

void write_record(std::vector<std::byte>& out, const EventRecord& record) {
  Writer writer(out);
  writer.put(Kind::kEvent);
  writer.put(record.number);
  writer.put(ticks(record.came_at));
  writer.put_text(record.text);
}

void write_record(std::vector<std::byte>& out, const EventGoneRecord& record) {
  Writer writer(out);
  writer.put(Kind::kEventGone);
  writer.put(record.number);
}

namespace {

ChannelRecord read_channel(Reader& in) noexcept {
  ChannelRecord record;
  record.id = in.get<std::uint64_t>();
  record.state = in.get<ChannelState>();
  record.position.epoch = in.get<std::uint64_t>();
  record.position.offset = in.get<std::uint64_t>();
  record.missed = in.get<std::uint64_t>();
  record.name = in.get_text();
  return record;
}

StateRecord read_state(Reader& in) noexcept {
  StateRecord record;
  record.id = in.get<std::uint64_t>();
  record.state = in.get<ChannelState>();
  record.position.epoch = in.get<std::uint64_t>();
  record.position.offset = in.get<std::uint64_t>();
  return record;
}

AppendRecord read_append(Reader& in) noexcept {
  AppendRecord record;
  record.id = in.get<std::uint64_t>();
  record.place = in.get<Place>();
  record.frame_at = in.get<std::uint16_t>();
  record.position.epoch = in.get<std::uint64_t>();
  record.position.offset = in.get<std::uint64_t>();
  record.stored_at = time_of(in.get<std::int64_t>());
  record.bytes = in.get_bytes();
  return record;
}

IdRecord read_id(Reader& in) noexcept {
  IdRecord record;
  record.position.epoch = in.get<std::uint64_t>();
  record.position.offset = in.get<std::uint64_t>();
  record.until = time_of(in.get<std::int64_t>());
  record.key = in.get_text();
  return record;
}

EventRecord read_event(Reader& in) noexcept {
  EventRecord record;
  record.number = in.get<std::uint64_t>();
  record.came_at = time_of(in.get<std::int64_t>());
  record.text = in.get_text();
  return record;
}

void read_one(Reader& in, RecordSink& sink) noexcept {
  switch (in.get<Kind>()) {
    case Kind::kChannel:
      return sink.on(read_channel(in));
    case Kind::kState:
      return sink.on(read_state(in));
    case Kind::kAppend:
      return sink.on(read_append(in));
    case Kind::kCut: {
      CutRecord record;
      record.id = in.get<std::uint64_t>();
      record.place = in.get<Place>();
      record.up_to = in.get<std::uint64_t>();
      return sink.on(record);
    }
    case Kind::kTake: {
      TakeRecord record;
      record.id = in.get<std::uint64_t>();
      record.offset = in.get<std::uint64_t>();
      return sink.on(record);
    }
    case Kind::kDrop:
      return sink.on(DropRecord{in.get<std::uint64_t>()});
    case Kind::kReplace: {
      ReplaceRecord record;
      record.id = in.get<std::uint64_t>();
      record.old_id = in.get<std::uint64_t>();
      return sink.on(record);
    }
    case Kind::kMissed: {
      MissedRecord record;
      record.id = in.get<std::uint64_t>();
      record.missed = in.get<std::uint64_t>();
      return sink.on(record);
    }
    case Kind::kId:
      return sink.on(read_id(in));
    case Kind::kEvent:
      return sink.on(read_event(in));
    case Kind::kEventGone:
      return sink.on(EventGoneRecord{in.get<std::uint64_t>()});
  }
}

}  // namespace

std::size_t read_records(ConstBytes in, RecordSink& sink) noexcept {
  Reader reader(in);
  std::size_t count = 0;
  while (!reader.rest().empty()) {
    read_one(reader, sink);
    SLUICE_CHECK(reader.ok());  // we wrote them
    ++count;
  }
  return count;
}

}  // namespace sluice
