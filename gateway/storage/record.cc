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

// What a record is written as: its kind, then these of its members, in this order.
template <Kind kOwn, auto... kMembers>
struct Form {
  static constexpr Kind kKind = kOwn;

  template <class Visit, class Record>
  static void for_each(Record& record, Visit&& visit) {
    (visit(record.*kMembers), ...);
  }
};

template <class Record>
struct FormOf;
template <>
struct FormOf<ChannelRecord>
    : Form<Kind::kChannel, &ChannelRecord::id, &ChannelRecord::state, &ChannelRecord::position,
           &ChannelRecord::missed, &ChannelRecord::name> {};
template <>
struct FormOf<StateRecord>
    : Form<Kind::kState, &StateRecord::id, &StateRecord::state, &StateRecord::position> {};
template <>
struct FormOf<AppendRecord>
    : Form<Kind::kAppend, &AppendRecord::id, &AppendRecord::place, &AppendRecord::frame_at,
           &AppendRecord::position, &AppendRecord::stored_at, &AppendRecord::bytes> {};
template <>
struct FormOf<CutRecord> : Form<Kind::kCut, &CutRecord::id, &CutRecord::place, &CutRecord::up_to> {
};
template <>
struct FormOf<TakeRecord> : Form<Kind::kTake, &TakeRecord::id, &TakeRecord::offset> {};
template <>
struct FormOf<DropRecord> : Form<Kind::kDrop, &DropRecord::id> {};
template <>
struct FormOf<ReplaceRecord> : Form<Kind::kReplace, &ReplaceRecord::id, &ReplaceRecord::old_id> {};
template <>
struct FormOf<MissedRecord> : Form<Kind::kMissed, &MissedRecord::id, &MissedRecord::missed> {};
template <>
struct FormOf<IdRecord> : Form<Kind::kId, &IdRecord::position, &IdRecord::until, &IdRecord::key> {};
template <>
struct FormOf<EventRecord>
    : Form<Kind::kEvent, &EventRecord::number, &EventRecord::came_at, &EventRecord::text> {};
template <>
struct FormOf<EventGoneRecord> : Form<Kind::kEventGone, &EventGoneRecord::number> {};

template <SerialScalar T>
void put(Writer& out, T value) {
  out.put(value);
}
void put(Writer& out, Position position) {
  out.put(position.epoch);
  out.put(position.offset);
}
void put(Writer& out, WallTime time) { out.put(time.time_since_epoch().count()); }
void put(Writer& out, std::string_view text) { out.put_text(text); }
void put(Writer& out, ConstBytes bytes) { out.put_bytes(bytes); }

template <SerialScalar T>
void take(Reader& in, T& value) noexcept {
  value = in.get<T>();
}
void take(Reader& in, Position& position) noexcept {
  position.epoch = in.get<std::uint64_t>();
  position.offset = in.get<std::uint64_t>();
}
void take(Reader& in, WallTime& time) noexcept {
  time = WallTime(Duration(in.get<Duration::rep>()));
}
void take(Reader& in, std::string_view& text) noexcept { text = in.get_text(); }
void take(Reader& in, ConstBytes& bytes) noexcept { bytes = in.get_bytes(); }

}  // namespace

template <class Record>
void write_record(std::vector<std::byte>& out, const Record& record) {
  Writer writer(out);
  writer.put(FormOf<Record>::kKind);
  FormOf<Record>::for_each(record, [&writer](const auto& member) { put(writer, member); });
}

template void write_record(std::vector<std::byte>& out, const ChannelRecord& record);
template void write_record(std::vector<std::byte>& out, const StateRecord& record);
template void write_record(std::vector<std::byte>& out, const AppendRecord& record);
template void write_record(std::vector<std::byte>& out, const CutRecord& record);
template void write_record(std::vector<std::byte>& out, const TakeRecord& record);
template void write_record(std::vector<std::byte>& out, const DropRecord& record);
template void write_record(std::vector<std::byte>& out, const ReplaceRecord& record);
template void write_record(std::vector<std::byte>& out, const MissedRecord& record);
template void write_record(std::vector<std::byte>& out, const IdRecord& record);
template void write_record(std::vector<std::byte>& out, const EventRecord& record);
template void write_record(std::vector<std::byte>& out, const EventGoneRecord& record);

namespace {

template <class Record>
void read(Reader& in, RecordSink& sink) noexcept {
  Record record;
  FormOf<Record>::for_each(record, [&in](auto& member) { take(in, member); });
  sink.on(record);
}

void read_one(Reader& in, RecordSink& sink) noexcept {
  switch (in.get<Kind>()) {
    case Kind::kChannel:
      return read<ChannelRecord>(in, sink);
    case Kind::kState:
      return read<StateRecord>(in, sink);
    case Kind::kAppend:
      return read<AppendRecord>(in, sink);
    case Kind::kCut:
      return read<CutRecord>(in, sink);
    case Kind::kTake:
      return read<TakeRecord>(in, sink);
    case Kind::kDrop:
      return read<DropRecord>(in, sink);
    case Kind::kReplace:
      return read<ReplaceRecord>(in, sink);
    case Kind::kMissed:
      return read<MissedRecord>(in, sink);
    case Kind::kId:
      return read<IdRecord>(in, sink);
    case Kind::kEvent:
      return read<EventRecord>(in, sink);
    case Kind::kEventGone:
      return read<EventGoneRecord>(in, sink);
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
