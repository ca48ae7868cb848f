#include "tests/sim/channel_client.h"

#include <charconv>

namespace sluice::test {
namespace {

bool has(std::string_view text, std::string_view what) {
  return text.find(what) != std::string_view::npos;
}

// The object behind `key`, which has no braces within.
std::string object_after(const std::string& text, std::string_view key, std::size_t from = 0) {
  const std::size_t begin = text.find(key, from) + key.size();
  return text.substr(begin, text.find('}', begin) + 1 - begin);
}

std::string told(const ChannelClient::Place& place) {
  return std::to_string(place.offset) + "@" + place.epoch;
}

}  // namespace

std::uint64_t number_after(std::string_view text, std::string_view key) {
  const std::size_t at = text.find(key);
  std::uint64_t number = 0;
  if (at != std::string_view::npos) {
    std::from_chars(text.data() + at + key.size(), text.data() + text.size(), number);
  }
  return number;
}

std::string text_after(std::string_view text, std::string_view key) {
  const std::size_t at = text.find(key);
  if (at == std::string_view::npos) return {};
  const std::size_t begin = at + key.size();
  return std::string(text.substr(begin, text.find('"', begin) - begin));
}

Wrong ChannelTruth::heard(const std::string& channel, const std::string& epoch,
                          std::uint64_t offset, const std::string& data) {
  const auto [place, is_new] = all_[{channel, epoch}].try_emplace(offset, data);
  if (is_new || place->second == data) return std::nullopt;
  return channel + " has two publications " + std::to_string(offset) + ": " + place->second +
         " and " + data;
}

std::string ChannelClient::ask(std::string_view what, const std::string& channel,
                               const std::string& members, std::optional<Place> had) {
  asked_.push_back({++last_id_, std::string(what), channel, std::move(had)});
  return R"({"id":)" + std::to_string(last_id_) + ",\"" + std::string(what) + "\":{" + members +
         "}}";
}

std::string ChannelClient::connect() {
  followed_.clear();
  asked_.clear();
  is_connected_ = false;
  pings_ = 0;
  return ask("connect", {}, {});
}

std::string ChannelClient::subscribe(const std::string& channel) {
  std::string members = R"("channel":")" + channel + "\"";
  const auto had = place(channel);
  if (had) {
    members += R"(,"recover":true,"epoch":")" + had->epoch + R"(","offset":)" +
               std::to_string(had->offset);
  }
  return ask("subscribe", channel, members, had);
}

std::string ChannelClient::unsubscribe(const std::string& channel) {
  return ask("unsubscribe", channel, R"("channel":")" + channel + "\"");
}

std::string ChannelClient::publish(const std::string& channel, const std::string& data) {
  return ask("publish", channel, R"("channel":")" + channel + R"(","data":)" + data);
}

bool ChannelClient::is_waiting_for(const std::string& channel) const {
  for (const Asked& one : asked_) {
    if (one.channel == channel && one.what != "publish") return true;
  }
  return false;
}

std::optional<ChannelClient::Place> ChannelClient::place(const std::string& channel) const {
  const auto found = places_.find(channel);
  if (found == places_.end()) return std::nullopt;
  return found->second;
}

Wrong ChannelClient::hear(const std::string& message) {
  if (message == "{}") {
    ++pings_;
    return std::nullopt;
  }
  if (message.starts_with(R"({"id":)")) return hear_answer(message);
  return hear_push(message);
}

Wrong ChannelClient::hear_answer(const std::string& message) {
  if (asked_.empty()) return "an answer to nothing: " + message;
  const Asked asked = asked_.front();
  asked_.pop_front();
  if (number_after(message, R"({"id":)") != asked.id) {
    return "not the answer to " + std::to_string(asked.id) + ": " + message;
  }
  if (has(message, R"("error":)")) return "refused: " + asked.what + ": " + message;
  if (asked.what == "connect") is_connected_ = true;
  if (asked.what == "unsubscribe") followed_.erase(asked.channel);
  return asked.what == "subscribe" ? subscribed(asked, message) : std::nullopt;
}

Wrong ChannelClient::subscribed(const Asked& asked, const std::string& message) {
  followed_[asked.channel] = true;
  if (!asked.channel.starts_with("hist")) return std::nullopt;
  const std::string epoch = text_after(message, R"("epoch":")");
  const std::size_t list = message.find(R"("publications":[)");
  const std::size_t behind = list == std::string::npos ? 0 : message.find(']', list);
  const Place now{epoch, number_after(std::string_view(message).substr(behind), R"("offset":)")};
  if (asked.had && has(message, R"("recovered":true)")) {
    ++recoveries_;
    if (now != *asked.had) return "recovered from " + told(now) + ", not " + told(*asked.had);
    return recovered(asked, epoch,
                     list == std::string::npos ? "" : message.substr(list, behind - list));
  }
  if (list != std::string::npos) return "publications without a recovery: " + message;
  const bool is_within_reach = asked.had && asked.had->epoch == epoch &&
                               now.offset >= asked.had->offset &&
                               now.offset - asked.had->offset <= kept_;
  if (is_within_reach) return "not recovered from " + told(*asked.had) + " to " + told(now);
  places_[asked.channel] = now;
  return std::nullopt;
}

// What was missed, one behind the other.
Wrong ChannelClient::recovered(const Asked& asked, const std::string& epoch,
                               const std::string& list) {
  Place& place = places_[asked.channel];
  constexpr std::string_view kData = R"("data":)";
  for (std::size_t at = list.find(kData); at != std::string::npos; at = list.find(kData, at + 1)) {
    const std::string data = object_after(list, kData, at);
    const std::uint64_t offset = number_after(
        std::string_view(list).substr(at + kData.size() + data.size()), R"("offset":)");
    if (offset != ++place.offset) return "recovered " + std::to_string(offset) + ", not next";
    if (auto wrong = truth_->heard(asked.channel, epoch, offset, data)) return wrong;
  }
  return std::nullopt;
}

Wrong ChannelClient::hear_push(const std::string& message) {
  const std::string channel = text_after(message, R"("channel":")");
  if (channel.empty()) return std::nullopt;  // of the connection
  if (!followed_.contains(channel)) return "a push without a subscription: " + message;
  if (has(message, R"("unsubscribe":{"code":2500)")) {
    followed_.erase(channel);
    return std::nullopt;
  }
  if (!has(message, R"("pub":{)") || !channel.starts_with("hist")) return std::nullopt;
  const std::string data = object_after(message, R"("data":)");
  Place& place = places_[channel];
  const std::uint64_t offset = number_after(
      std::string_view(message).substr(message.find(data) + data.size()), R"("offset":)");
  if (offset != place.offset + 1) {
    return channel + ": " + std::to_string(offset) + " came after " + told(place);
  }
  place.offset = offset;
  return truth_->heard(channel, place.epoch, offset, data);
}

}  // namespace sluice::test
