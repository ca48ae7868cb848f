// Sends one HTTP request again and again over connections that are kept alive, each as soon as the
// answer to the one before has come, and says how many were answered.
//
//   http_flood PORT CONNECTIONS SECONDS < REQUEST
//
// The request is sent byte for byte. Every answer must have status 200 and a Content-Length.
// Writes `{"answers":N,"seconds":S}`. Exit codes: 0; 1 if an answer was another or a connection
// ended; 2 usage. For bench/api.py, over loopback; what it measures of several kinds is ws_flood's.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <iostream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kReadBytes = 64 * 1024;
constexpr int kEventsMax = 256;

struct Connection {
  int descriptor = -1;
  std::string received;  // of an answer that is not complete
};

bool fail(const char* what) {
  std::fprintf(stderr, "http_flood: %s\n", what);
  return false;
}

// The size of the answer in front of `text`; 0 if it is not complete, nothing if it is none that
// we want.
std::optional<std::size_t> answer_size(std::string_view text) {
  constexpr std::string_view kStatus = "HTTP/1.1 200 ";
  constexpr std::string_view kLength = "\r\nContent-Length: ";
  const std::size_t head = text.find("\r\n\r\n");
  if (head == std::string_view::npos) return 0;
  const std::size_t length = text.substr(0, head).find(kLength);
  if (!text.starts_with(kStatus) || length == std::string_view::npos) return std::nullopt;
  std::size_t body = 0;
  std::from_chars(text.data() + length + kLength.size(), text.data() + head, body);
  const std::size_t size = head + 4 + body;
  return text.size() < size ? 0 : size;
}

class Flood {
 public:
  Flood(std::string request, std::uint16_t port) : request_(std::move(request)), port_(port) {}

  bool open(int connections) {
    epoll_ = epoll_create1(0);
    connections_.resize(static_cast<std::size_t>(connections));
    for (std::size_t i = 0; i < connections_.size(); ++i) {
      const int descriptor = socket(AF_INET, SOCK_STREAM, 0);
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_port = htons(port_);
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      if (connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
        return fail("cannot connect");
      }
      const int on = 1;
      setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.u64 = i;
      if (epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event) != 0) return fail("epoll_ctl");
      connections_[i].descriptor = descriptor;
      if (!ask(connections_[i])) return false;
    }
    return true;
  }

  bool run(Clock::time_point end) {
    std::array<epoll_event, kEventsMax> events;
    while (Clock::now() < end) {
      const int ready = epoll_wait(epoll_, events.data(), kEventsMax, 100);
      for (int i = 0; i < ready; ++i) {
        if (!take(connections_[events[static_cast<std::size_t>(i)].data.u64])) return false;
      }
    }
    return true;
  }

  std::uint64_t answers() const { return answers_; }

 private:
  bool ask(const Connection& to) {
    // A request is far smaller than a socket's buffer, which is empty.
    const auto sent = send(to.descriptor, request_.data(), request_.size(), MSG_NOSIGNAL);
    return sent == static_cast<ssize_t>(request_.size()) || fail("cannot send");
  }

  bool take(Connection& from) {
    const auto got = recv(from.descriptor, buffer_.data(), buffer_.size(), 0);
    if (got <= 0) return fail("a connection ended");
    std::string_view text(buffer_.data(), static_cast<std::size_t>(got));
    if (!from.received.empty()) text = from.received.append(text);
    const auto size = answer_size(text);
    if (!size || (*size != 0 && *size != text.size())) {
      std::fprintf(stderr, "%.*s\n", static_cast<int>(text.size()), text.data());
      return fail("not the answer that was expected");
    }
    if (*size == 0) {
      if (from.received.empty()) from.received = text;
      return true;
    }
    from.received.clear();
    ++answers_;
    return ask(from);
  }

  const std::string request_;
  const std::uint16_t port_;
  int epoll_ = -1;
  std::uint64_t answers_ = 0;
  std::vector<Connection> connections_;
  std::array<char, kReadBytes> buffer_{};
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fputs("usage: http_flood PORT CONNECTIONS SECONDS < REQUEST\n", stderr);
    return 2;
  }
  std::string request{std::istreambuf_iterator<char>(std::cin), {}};
  Flood flood(std::move(request), static_cast<std::uint16_t>(std::stoi(argv[1])));
  if (!flood.open(std::stoi(argv[2]))) return 1;
  const auto begin = Clock::now();
  const std::chrono::duration<double> wanted(std::stod(argv[3]));
  const bool is_well = flood.run(begin + std::chrono::duration_cast<Clock::duration>(wanted));
  const std::chrono::duration<double> took = Clock::now() - begin;
  std::printf("{\"answers\":%llu,\"seconds\":%.6f}\n",
              static_cast<unsigned long long>(flood.answers()), took.count());
  return is_well ? 0 : 1;
}
