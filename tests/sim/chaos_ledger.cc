#include "tests/sim/chaos_ledger.h"

namespace sluice::test {
namespace {

constexpr std::string_view kStream = R"("stream":")";
constexpr std::string_view kNumber = R"(","n":)";
constexpr std::string_view kMid = R"(,"mid":")";
constexpr std::string_view kGap = R"({"msg_type":"gap","missed":)";

// Of what `last` has heard, what comes next is to be larger. Returns what stood there before.
std::optional<std::string> advance(std::map<std::string, int>& last, const Said& said,
                                   int& skipped) {
  const auto [place, is_first] = last.try_emplace(said.stream, said.number);
  skipped = is_first ? -1 : said.number - place->second - 1;
  if (is_first) return std::nullopt;
  if (said.number <= place->second) {
    return "number " + std::to_string(said.number) + " of " + said.stream + " came after number " +
           std::to_string(place->second);
  }
  place->second = said.number;
  return std::nullopt;
}

}  // namespace

std::string message_text(std::string_view to_user, const Said& said, std::size_t padding) {
  std::string text = R"({"msg_type":")";
  text += to_user.empty() ? std::string("message\"")
                          : R"(send_","to_user":")" + std::string(to_user) + "\"";
  text += "," + std::string(kStream) + said.stream;
  text += std::string(kNumber) + std::to_string(said.number);
  if (padding > 0) text += R"(,"x":")" + std::string(padding, 'x') + "\"";
  return text + "}";
}

std::optional<Said> said_in(const std::string& text) {
  const std::size_t stream = text.find(kStream);
  const std::size_t number = text.find(kNumber);
  if (stream == std::string::npos || number == std::string::npos) return std::nullopt;
  const std::size_t begin = stream + kStream.size();
  return Said{text.substr(begin, number - begin), std::stoi(text.substr(number + kNumber.size()))};
}

std::string mid_in(const std::string& text) {
  const std::size_t at = text.rfind(kMid);
  if (at == std::string::npos) return {};
  const std::size_t begin = at + kMid.size();
  return text.substr(begin, text.find('"', begin) - begin);
}

int missed_in(const std::string& text) {
  return text.starts_with(kGap) ? std::stoi(text.substr(kGap.size())) : 0;
}

std::optional<std::string> ChatListener::hear(const std::string& text,
                                              const SpokenStreams& spoken) {
  told_ += missed_in(text);
  const std::optional<Said> said = said_in(text);
  if (!said) return std::nullopt;
  int skipped = 0;
  if (auto wrong = advance(last_, *said, skipped)) return wrong;
  if (skipped < 0) {  // the first one: of a stream that began later, nothing may be missing before
    const bool was_here = opened_ != 0 && opened_ < spoken.at(said->stream).began;
    skipped = was_here ? said->number : 0;
  }
  holes_ += skipped;
  return judge();
}

std::optional<std::string> ChatListener::finish(const SpokenStreams& spoken) {
  for (const auto& [stream, what] : spoken) {
    if (!what.has_arrived) continue;
    if (const auto last = last_.find(stream); last != last_.end()) {
      holes_ += what.said - 1 - last->second;
    } else if (opened_ != 0 && opened_ < what.began) {
      holes_ += what.said;
    }
  }
  return judge();
}

std::optional<std::string> ChatListener::judge() const {
  if (holes_ <= told_) return std::nullopt;
  return std::to_string(holes_) + " messages of the chat are missing, " + std::to_string(told_) +
         " were told";
}

std::optional<std::string> User::hear(const std::string& text, Last& last) {
  told_ += missed_in(text);
  const std::optional<Said> said = said_in(text);
  if (!said) return std::nullopt;
  heard_[said->stream].insert(said->number);
  int skipped = 0;
  return advance(last, *said, skipped);
}

std::optional<std::string> User::finish(const SpokenStreams& spoken, bool has_one_device) const {
  if (!is_known_) return std::nullopt;
  int missing_at_least = 0;
  int missing_at_most = 0;
  for (const auto& [stream, what] : spoken) {
    const auto heard = heard_.find(stream);
    const int missing =
        what.said - (heard == heard_.end() ? 0 : static_cast<int>(heard->second.size()));
    missing_at_most += missing;
    if (what.has_arrived) missing_at_least += missing;
  }
  if (missing_at_least > told_) {
    return std::to_string(missing_at_least) + " messages are missing, " + std::to_string(told_) +
           " were told";
  }
  if (has_one_device && told_ > missing_at_most) {
    return std::to_string(told_) + " messages were told missing, and only " +
           std::to_string(missing_at_most) + " are";
  }
  return std::nullopt;
}

std::optional<std::string> AcknowledgingUser::hear(const std::string& text, Last& last) {
  told_ += missed_in(text);
  const std::optional<Said> said = said_in(text);
  if (!said) return std::nullopt;
  const std::string mid = mid_in(text);
  if (mid.empty()) return "a message without a mid: " + text;
  auto& stream = heard_[said->stream];
  const auto known = stream.find(said->number);
  if (known != stream.end() && known->second != mid) {
    return "number " + std::to_string(said->number) + " of " + said->stream +
           " came again with another mid";
  }
  if (known == stream.end()) {
    if (!mids_.insert(mid).second) return "two messages have the mid " + mid;
    stream.emplace(said->number, mid);
  }
  int skipped = 0;
  return advance(last, *said, skipped);
}

std::optional<std::string> AcknowledgingUser::finish(const SpokenStreams& spoken) const {
  int missing = 0;
  for (const auto& [stream, what] : spoken) {
    if (!what.has_arrived) continue;
    const auto heard = heard_.find(stream);
    missing += what.said - (heard == heard_.end() ? 0 : static_cast<int>(heard->second.size()));
  }
  if (missing <= told_) return std::nullopt;
  return std::to_string(missing) + " messages are missing that were not acknowledged, " +
         std::to_string(told_) + " were told";
}

}  // namespace sluice::test
