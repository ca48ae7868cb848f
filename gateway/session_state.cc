#include "gateway/session_state.h"

#include "core/base/serial.h"

namespace sluice {
namespace {

// Version 5: the fields below, in this order.
constexpr std::uint8_t kVersion = 5;
constexpr std::uint32_t kSubscriptionsMax = 4096;
constexpr std::int64_t kNever = INT64_MIN;
constexpr std::uint8_t kNoDeflate = 0;
// No moment of a session is further away, and what is added to one does not overflow.
constexpr Duration kFarthest = std::chrono::hours(24 * 365 * 100);

void put_time(Writer& out, Time time, Time now) {
  out.put(time == Time{} ? kNever : std::int64_t{(time - now).count()});
}

// False: it is no moment that a session can have.
bool get_time(Reader& in, Time now, Time& time) noexcept {
  const auto distance = in.get<std::int64_t>();
  time = Time{};
  if (distance == kNever) return true;
  if (distance > kFarthest.count() || distance < -kFarthest.count()) return false;
  time = now + Duration(distance);
  return true;
}

}  // namespace

void SessionState::save(std::vector<std::byte>& out, Time now) const {
  Writer writer(out);
  writer.put(kVersion);
  writer.put(dialect);
  writer.put(phase);
  writer.put_text(opening ? *opening : std::string_view());
  writer.put_text(nickname);
  writer.put(static_cast<std::uint32_t>(subscriptions.size()));
  for (const Subscription& subscription : subscriptions) {
    writer.put_text(subscription.channel);
    writer.put(subscription.order);
    writer.put_bool(subscription.with_presence);
  }
  writer.put(errors);
  writer.put_bool(pinged);
  put_time(writer, ping_at, now);
  put_time(writer, message_began_at, now);
  put_time(writer, list_asked_at, now);
  writer.put_bool(list_waits);
  writer.put_bool(list_is_due);
  writer.put_bool(acknowledges);
  writer.put(deflate ? deflate->window_bits : kNoDeflate);
  writer.put_bool(deflate && deflate->takeover);
  writer.put_bool(identity != nullptr);
  if (identity) writer.put_text(*identity);
  writer.put_text(passed_on ? *passed_on : std::string_view());
  put_time(writer, connected_at, now);
  if (centrifuge) centrifuge->save(writer);
  reader.save(out);
}

Result<SessionState, std::string_view> SessionState::load(const ws::ReaderContext& context,
                                                          Time now, ConstBytes& input) {
  Reader in(input);
  if (in.get<std::uint8_t>() != kVersion) return fail<std::string_view>("unknown version");
  const auto kind = in.get<std::uint8_t>();
  const auto phase = in.get<std::uint8_t>();
  if (kind >= kDialectCount) return fail<std::string_view>("unknown dialect");
  if (phase > static_cast<std::uint8_t>(Phase::kClosing)) {
    return fail<std::string_view>("unknown phase");
  }
  SessionState state(static_cast<DialectKind>(kind), context);
  state.phase = static_cast<Phase>(phase);
  if (const auto text = in.get_text(); !text.empty()) {
    state.opening = std::make_unique<std::string>(text);
  }
  state.nickname = in.get_text();
  const auto count = in.get<std::uint32_t>();
  if (count > kSubscriptionsMax) return fail<std::string_view>("too many subscriptions");
  for (std::uint32_t i = 0; i < count && in.ok(); ++i) {
    Subscription subscription;
    subscription.channel = in.get_text();
    subscription.order = in.get<std::uint64_t>();
    subscription.with_presence = in.get_bool();
    state.subscriptions.push_back(std::move(subscription));
  }
  state.errors = in.get<std::uint32_t>();
  state.pinged = in.get_bool();
  for (Time* time : {&state.ping_at, &state.message_began_at, &state.list_asked_at}) {
    if (!get_time(in, now, *time)) return fail<std::string_view>("absurd moment");
  }
  state.list_waits = in.get_bool();
  state.list_is_due = in.get_bool();
  state.acknowledges = in.get_bool();
  if (state.acknowledges && state.dialect != DialectKind::kRelay) {
    return fail<std::string_view>("acknowledges what has no mids");
  }
  const ws::DeflateSide deflate{in.get<std::uint8_t>(), in.get_bool()};
  if (!in.ok()) return fail<std::string_view>("cut off");
  if (deflate.window_bits != kNoDeflate) {
    if (deflate.window_bits < ws::kWindowBitsMin || deflate.window_bits > ws::kWindowBitsMax) {
      return fail<std::string_view>("a window that nobody can have agreed on");
    }
    state.deflate = deflate;
  }
  if (in.get_bool()) state.identity = std::make_unique<std::string>(in.get_text());
  if (const auto fields = in.get_text(); !fields.empty()) {
    state.passed_on = std::make_unique<std::string>(fields);
  }
  if (!get_time(in, now, state.connected_at)) return fail<std::string_view>("absurd moment");
  if (state.centrifuge && !state.centrifuge->load(in, state.subscriptions.size())) {
    return fail<std::string_view>("a dialect's state that cannot be");
  }
  if (!in.ok()) return fail<std::string_view>("cut off");
  ConstBytes rest = in.rest();
  auto reader = ws::MessageReader::load(context, rest);
  if (!reader) return fail(reader.error());
  state.reader = std::move(*reader);
  input = rest;
  return state;
}

}  // namespace sluice
