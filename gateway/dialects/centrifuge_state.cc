#include "gateway/dialects/centrifuge_state.h"

namespace sluice {
namespace {

void put(Writer& out, const Position& position) {
  out.put(position.epoch);
  out.put(position.offset);
}

Position get_position(Reader& in) noexcept {
  const auto epoch = in.get<std::uint64_t>();
  return {epoch, in.get<std::uint64_t>()};
}

// Seconds since 1970.
std::int64_t get_moment(Reader& in) noexcept {
  const auto seconds = in.get<std::int64_t>();
  if (seconds < 0) in.fail();
  return seconds;
}

void save(Writer& out, const CentrifugeState::Channel& channel) {
  out.put_text(channel.info);
  out.put_text(channel.data);
  put(out, channel.position);
  out.put(channel.expires_at);
  out.put(channel.missed);
  for (const bool flag : {channel.has_position, channel.is_positioned, channel.is_recovering,
                          channel.is_strict, channel.is_server_side, channel.wants_joins,
                          channel.is_listed, channel.is_announced, channel.is_told}) {
    out.put_bool(flag);
  }
}

CentrifugeState::Channel load_channel(Reader& in) {
  CentrifugeState::Channel channel;
  channel.info = in.get_text();
  channel.data = in.get_text();
  channel.position = get_position(in);
  channel.expires_at = get_moment(in);
  channel.missed = in.get<std::uint64_t>();
  for (bool* const flag : {&channel.has_position, &channel.is_positioned, &channel.is_recovering,
                           &channel.is_strict, &channel.is_server_side, &channel.wants_joins,
                           &channel.is_listed, &channel.is_announced, &channel.is_told}) {
    *flag = in.get_bool();
  }
  return channel;
}

void save(Writer& out, const CentrifugeState::Asked& asked) {
  out.put(asked.kind);
  out.put(asked.id);
  out.put_text(asked.channel);
  out.put(asked.count);
  out.put_bool(asked.is_reverse);
  out.put_bool(asked.since.has_value());
  put(out, asked.since.value_or(Position{}));
  out.put_text(asked.command);
}

void load(Reader& in, CentrifugeState::Asked& asked) {
  const auto kind = in.get<std::uint8_t>();
  if (kind > static_cast<std::uint8_t>(CentrifugeState::Asked::Kind::kHook)) in.fail();
  asked.kind = static_cast<CentrifugeState::Asked::Kind>(kind);
  asked.id = in.get<std::uint32_t>();
  asked.channel = in.get_text();
  asked.count = in.get<std::uint32_t>();
  asked.is_reverse = in.get_bool();
  const bool has_since = in.get_bool();
  const Position since = get_position(in);
  if (has_since) {
    asked.since = since;
  } else if (since != Position{}) {
    in.fail();
  }
  asked.command = in.get_text();
}

}  // namespace

void CentrifugeState::save(Writer& out) const {
  for (const bool flag : {is_trusted, is_connected, is_refused}) out.put_bool(flag);
  for (const std::string* text : {&client, &user, &info, &granted, &data}) out.put_text(*text);
  out.put(expires_at);
  sluice::save(out, asked);
  out.put_text(std::string_view(rest).substr(rest_at));
  for (const Channel& channel : channels) sluice::save(out, channel);
}

bool CentrifugeState::load(Reader& in, std::size_t channels_count) {
  for (bool* const flag : {&is_trusted, &is_connected, &is_refused}) *flag = in.get_bool();
  for (std::string* const text : {&client, &user, &info, &granted, &data}) *text = in.get_text();
  expires_at = get_moment(in);
  sluice::load(in, asked);
  rest = in.get_text();
  for (std::size_t i = 0; i < channels_count && in.ok(); ++i) {
    channels.push_back(load_channel(in));
  }
  return in.ok();
}

}  // namespace sluice
