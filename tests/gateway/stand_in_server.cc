#include "tests/gateway/stand_in_server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <map>

namespace sluice::test {
namespace {

// The size of the request at the front of `bytes`; 0 if it is not whole.
std::size_t whole_request(const std::string& bytes) {
  const std::size_t head = bytes.find("\r\n\r\n");
  if (head == std::string::npos) return 0;
  constexpr std::string_view kLength = "Content-Length: ";
  const std::size_t length = bytes.find(kLength);
  if (length > head) return head + 4;
  const std::size_t body = std::strtoul(bytes.c_str() + length + kLength.size(), nullptr, 10);
  return bytes.size() >= head + 4 + body ? head + 4 + body : 0;
}

}  // namespace

StandInServer::StandInServer(std::function<std::string(const std::string&)> answer)
    : answer_(std::move(answer)),
      listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
      stop_(::eventfd(0, EFD_CLOEXEC)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(::listen(listener_, 128), 0);
  EXPECT_EQ(::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size), 0);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { serve(); });
}

StandInServer::~StandInServer() {
  const std::uint64_t one = 1;
  EXPECT_EQ(::write(stop_, &one, sizeof(one)), static_cast<ssize_t>(sizeof(one)));
  thread_.join();
  ::close(stop_);
  ::close(listener_);
}

std::string StandInServer::url(const std::string& host) const {
  return "http://" + host + ":" + std::to_string(port_) + "/robot?a=b";
}

std::vector<std::string> StandInServer::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

void StandInServer::serve() {
  std::map<int, std::string> rests;
  while (true) {
    std::vector<pollfd> polled = {{stop_, POLLIN, 0}, {listener_, POLLIN, 0}};
    for (const auto& [socket, rest] : rests) polled.push_back({socket, POLLIN, 0});
    ::poll(polled.data(), polled.size(), -1);
    if (polled[0].revents != 0) break;
    if (polled[1].revents != 0) {
      rests[::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)];
      ++connections_;
    }
    for (std::size_t i = 2; i < polled.size(); ++i) {
      if (polled[i].revents == 0 || read_from(polled[i].fd, rests[polled[i].fd])) continue;
      ::close(polled[i].fd);
      rests.erase(polled[i].fd);
    }
  }
  for (const auto& [socket, rest] : rests) ::close(socket);
}

bool StandInServer::read_from(int socket, std::string& rest) {
  std::array<char, 65536> buffer;
  const ssize_t got = ::recv(socket, buffer.data(), buffer.size(), 0);
  if (got <= 0) return false;
  rest.append(buffer.data(), static_cast<std::size_t>(got));
  while (const std::size_t size = whole_request(rest)) {
    const std::string request = rest.substr(0, size);
    rest.erase(0, size);
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(request);
    }
    const std::string answer = answer_(request);
    if (answer == kHangUp) return false;
    const ssize_t sent = ::send(socket, answer.data(), answer.size(), MSG_NOSIGNAL);
    if (sent < 0 || answer.find("Connection: close") != std::string::npos) return false;
  }
  return true;
}

std::string http_answer(const std::string& body, int status, const std::string& fields) {
  return "HTTP/1.1 " + std::to_string(status) +
         " Said\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + fields + "\r\n" +
         body;
}

}  // namespace sluice::test
