// An application server in a simulation: calls of the server API, one at a time.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "tests/sim/channel_client.h"
#include "tests/sim/sim_world.h"

namespace sluice::test {

// Keeps a connection as long as it can. Not for calls side by side.
class ApiCaller {
 public:
  static constexpr std::string_view kKey = "secret";

  ApiCaller(SimNetwork& network, ChannelTruth& truth) : network_(network), truth_(truth) {}

  // Answered, or given up since the connection was lost.
  bool is_free() const noexcept { return channel_.empty(); }
  // Begins a publication, in the API's older form if `in_lines`. REQUIRES: is_free.
  void publish(const std::string& channel, const std::string& data, bool in_lines) {
    channel_ = channel;
    data_ = data;
    const std::string body = R"({"channel":")" + channel + R"(","data":)" + data + "}";
    send(in_lines ? "" : "/publish",
         in_lines ? R"({"method":"publish","params":)" + body + "}\n" : body);
  }
  // Takes the answer, if it is there, and judges it.
  Wrong look() {
    const std::string answer = take();
    if (answer.empty() || is_free()) return std::nullopt;
    const std::string channel = std::exchange(channel_, {});
    if (answer.find(R"({"result":{)") == std::string::npos) {
      return answer.starts_with("HTTP/1.1 503") ? Wrong() : "the API refuses: " + answer;
    }
    if (!channel.starts_with("hist")) return std::nullopt;
    return truth_.heard(channel, text_after(answer, R"("epoch":")"),
                        number_after(answer, R"("offset":)"), data_);
  }
  // The whole answer to a call, however long it takes.
  std::string ask(const std::string& method, const std::string& body, SimScheduler& scheduler) {
    send("/" + method, body);
    std::string answer;
    scheduler.run_until([&] { return !(answer = take()).empty(); });
    return answer;
  }
  void leave() {
    if (stream_) stream_->close();
    stream_.reset();
    channel_.clear();
    received_.clear();
  }

 private:
  void send(const std::string& path, const std::string& body) {
    if (!stream_) stream_ = network_.connect(kAddress);
    stream_->write("POST /api" + path +
                   " HTTP/1.1\r\nHost: localhost\r\nX-API-Key: " + std::string(kKey) +
                   "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  }
  // Empty until a whole answer is there.
  std::string take() {
    if (!stream_) return {};
    received_ += stream_->read();
    const std::size_t head = received_.find("\r\n\r\n");
    const std::size_t size =
        head == std::string::npos ? 0 : head + 4 + number_after(received_, "Content-Length: ");
    if (size > 0 && received_.size() >= size) {
      std::string answer = received_.substr(0, size);
      received_.erase(0, size);
      return answer;
    }
    if (stream_->is_reset() || stream_->is_eof()) leave();
    return {};
  }

  SimNetwork& network_;
  ChannelTruth& truth_;
  std::unique_ptr<SimStream> stream_;
  std::string received_;
  std::string channel_;  // of the publication under way
  std::string data_;
};

}  // namespace sluice::test
