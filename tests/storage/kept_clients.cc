#include "tests/storage/kept_clients.h"

#include <charconv>

namespace sluice::test {
namespace {

constexpr Duration kPause = std::chrono::milliseconds(30);
constexpr std::size_t kFiller = 3000;
constexpr std::string_view kEndOfHead = "\r\n\r\n";

}  // namespace

std::uint64_t number_in(std::string_view text, std::string_view key) {
  const std::size_t at = text.find(key);
  std::uint64_t number = 0;
  if (at == std::string_view::npos) return number;
  std::from_chars(text.data() + at + key.size(), text.data() + text.size(), number);
  return number;
}

std::string text_in(std::string_view text, std::string_view key) {
  const std::size_t at = text.find(key);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = text.substr(at + key.size() + 1);
  return std::string(rest.substr(0, rest.find('"')));
}

void ApiLine::call(std::string_view method, std::string_view body) {
  stream_->write("POST /api/" + std::string(method) +
                 " HTTP/1.1\r\nHost: localhost\r\nX-API-Key: " + kKeptApiKey +
                 "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
                 std::string(body));
}

std::optional<ApiLine::Answer> ApiLine::poll() {
  received_ += stream_->read();
  const std::size_t end = received_.find(kEndOfHead);
  if (end == std::string::npos) return std::nullopt;
  const std::size_t size = number_in(received_, "Content-Length: ");
  const std::size_t begin = end + kEndOfHead.size();
  if (received_.size() < begin + size) return std::nullopt;
  Answer answer{static_cast<int>(number_in(received_, "HTTP/1.1 ")), received_.substr(begin, size)};
  received_.erase(0, begin + size);
  return answer;
}

void KeptPublisher::begin_life(SimNetwork& network, const SocketAddress& address) {
  line_ = std::make_unique<ApiLine>(network, address);
  is_waiting_ = false;
  // What was under way when the instance died is tried again, or is never heard of again.
  if (random_.chance(1, 4)) number_ = 0;
}

void KeptPublisher::publish() {
  if (number_ == 0) {
    const std::string& where = targets_[random_.below(targets_.size())];
    number_ = books_.send(where, random_.chance(1, 3));
  }
  const SentOne& one = books_.sent(number_);
  const bool is_to_user = one.where.starts_with("user ");
  const std::string to =
      is_to_user ? R"("user":")" + one.where.substr(5) : R"("channel":")" + one.where;
  const std::string number = std::to_string(number_);
  // Mail is so long that much of it waits in the gateway for who does not read.
  const std::string filler(is_to_user ? kFiller : 0, 'x');
  line_->call("publish", "{" + to + R"(","data":{"i":)" + number + R"(,"f":")" + filler +
                             R"("},"idempotency_key":"k)" + number +
                             (one.is_sync ? R"(","sync":true})" : R"("})"));
  is_waiting_ = true;
}

void KeptPublisher::poll(Time now, bool goes_on, const std::set<std::string>& users) {
  if (line_ == nullptr) return;
  if (is_waiting_) {
    SentOne& one = books_.sent(number_);
    one.may_have_gone_to_session |= users.contains(one.where);
    const auto answer = line_->poll();
    if (!answer) return;
    is_waiting_ = false;
    next_at_ = now + Duration(static_cast<Duration::rep>(random_.below(kPause.count())));
    take(*answer, now);
  }
  if (goes_on && now >= next_at_) publish();
}

void KeptPublisher::take(const ApiLine::Answer& answer, Time now) {
  const SentOne& one = books_.sent(number_);
  const bool is_done = answer.status == 200 && answer.body.find("\"result\"") != std::string::npos;
  if (!is_done) {
    ++refused_;
    if (random_.chance(1, 2)) number_ = 0;
    return;
  }
  const std::uint64_t offset = number_in(answer.body, "\"offset\":");
  if (offset != 0) {
    books_.see(one.where, text_in(answer.body, "\"epoch\":"), offset, number_, "an answer");
  }
  books_.answer(number_, now);
  // Now and then the same is asked again, as if the answer had been lost.
  if (!random_.chance(1, 8)) number_ = 0;
}

void KeptFollower::begin_life(SimNetwork& network, const SocketAddress& address) {
  client_ = std::make_unique<SimClient>(network, address, "/connection/websocket");
  std::string commands = R"({"id":1,"connect":{}})"
                         "\n"
                         R"({"id":2,"subscribe":{"channel":")" +
                         channel_ + '"';
  if (!epoch_.empty()) {
    commands +=
        R"(,"recover":true,"epoch":")" + epoch_ + R"(","offset":)" + std::to_string(offset_);
  }
  client_->send_text(commands + "}}");
}

void KeptFollower::poll() {
  if (client_ == nullptr) return;
  client_->poll();
  for (const std::string& message : std::exchange(client_->messages, {})) {
    for (std::size_t at = 0; at < message.size();) {
      const std::size_t end = std::min(message.find('\n', at), message.size());
      take(message.substr(at, end - at));
      at = end + 1;
    }
  }
}

void KeptFollower::take(const std::string& line) {
  if (line == "{}") return client_->send_text("{}");
  if (line.find(R"("pub":)") != std::string::npos) {
    return hear(number_in(line, R"("offset":)"), number_in(line, R"("i":)"));
  }
  if (line.find(R"("subscribe":)") == std::string::npos) return;
  const std::size_t begin = line.find(R"("publications":[)");
  const std::size_t end = begin == std::string::npos ? begin : line.find(']', begin);
  const std::string list = begin == std::string::npos ? "" : line.substr(begin, end - begin);
  const std::string rest =
      begin == std::string::npos ? line : line.substr(0, begin) + line.substr(end);
  if (rest.find(R"("recovered":true)") == std::string::npos) {
    epoch_ = text_in(rest, R"("epoch":)");
    offset_ = number_in(rest, R"("offset":)");
    return;
  }
  for (std::size_t at = list.find(R"("i":)"); at != std::string::npos;
       at = list.find(R"("i":)", at + 1)) {
    const std::string_view item = std::string_view(list).substr(at);
    hear(number_in(item, R"("offset":)"), number_in(item, R"("i":)"));
  }
}

void KeptFollower::hear(std::uint64_t offset, std::uint64_t number) {
  books_.see(channel_, epoch_, offset, number, "a subscriber");
  books_.follow(channel_, offset_, offset);
  offset_ = offset;
}

void KeptReader::come(SimNetwork& network, const SocketAddress& address, bool reads) {
  client_ = std::make_unique<SimClient>(network, address, "/sendone");
  if (!reads) client_->stream().set_reading(false);
  client_->send_text(R"({"msg_type":"accept_","toy_id":")" + user_.substr(5) + "\"}");
}

void KeptReader::leave() {
  client_->stream().set_reading(true);
  using namespace std::string_literals;
  client_->send_raw("\x88\x82\0\0\0\0\x03\xe8"s);  // a masked Close with 1000
}

void KeptReader::poll() {
  if (client_ == nullptr) return;
  client_->poll();
  for (const std::string& message : std::exchange(client_->messages, {})) {
    const std::uint64_t number = number_in(message, R"("i":)");
    if (number != 0) books_.receive_mail(user_, number);
  }
  was_reset_ |= client_->stream().is_reset();
  if (client_->stream().is_eof() || client_->stream().is_reset()) client_.reset();
}

}  // namespace sluice::test
