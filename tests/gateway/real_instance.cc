#include "tests/gateway/real_instance.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <string>

#include "core/listener.h"
#include "proto/ws/client.h"
#include "proto/ws/frame.h"

namespace sluice::test {

BlockingClient::BlockingClient(const SocketAddress& address, std::string_view path) {
  sockaddr_storage storage{};
  const socklen_t size = address.to_sockaddr(storage);
  socket_ = ::socket(storage.ss_family, SOCK_STREAM, 0);
  EXPECT_EQ(::connect(socket_, reinterpret_cast<sockaddr*>(&storage), size), 0);
  const timeval limit{20, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  ws::ClientHandshake handshake;
  handshake.host = "localhost";
  handshake.target = path;
  std::string request;
  ws::append_handshake(request, handshake);
  send(as_bytes(request));
  std::string response;
  while (!response.ends_with("\r\n\r\n") && receive_exactly(1)) response += buffer_[0];
  EXPECT_TRUE(response.starts_with("HTTP/1.1 101")) << response;
}

BlockingClient::~BlockingClient() { ::close(socket_); }

void BlockingClient::send(ConstBytes bytes) const {
  EXPECT_EQ(::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL),
            static_cast<ssize_t>(bytes.size()));
}

bool BlockingClient::receive_exactly(std::size_t size) {
  std::size_t got = 0;
  while (got < size) {
    const ssize_t n = ::recv(socket_, buffer_.data() + got, size - got, 0);
    // A receive with a time limit is not restarted, and rings of this process interrupt.
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    got += static_cast<std::size_t>(n);
  }
  return true;
}

bool BlockingClient::receive(std::size_t payload) {
  return receive_exactly(payload + (payload < 126 ? 2 : 4));
}

std::string_view BlockingClient::receive_text() {
  const auto byte = [this](std::size_t i) { return static_cast<unsigned char>(buffer_[i]); };
  if (!receive_exactly(2)) return {};
  std::size_t size = byte(1);
  if (size == 126) {
    if (!receive_exactly(2)) return {};
    size = static_cast<std::size_t>(byte(0)) << 8 | byte(1);
  }
  if (!receive_exactly(size)) return {};
  return {buffer_.data(), size};
}

std::vector<std::byte> text_frame(std::string_view text) {
  std::vector<std::byte> out;
  ws::append_masked_frame(out, Simd::detect(), ws::Opcode::kText, true, as_bytes(text), 0x01020304);
  return out;
}

RealInstance::RealInstance(BackendKind kind, const Clock& clock)
    : log_(clock, sink_, LogLevel::kError, LogFormat::kText) {
  auto backends = open_backends(kind, 2, clock);
  if (!backends) {
    why_ = backends.error().text;
    return;
  }
  InstanceOptions options;
  options.seed = 5;
  // No pings among the messages that a test counts.
  options.limits.ping_interval = std::chrono::hours(1);
  auto instance = Instance::create(options, clock, log_, std::move(backends->backends));
  auto open = open_listeners(*ListenAddress::parse("127.0.0.1:0"), 2);
  if (!instance || !open) {
    ADD_FAILURE() << "the instance or its listeners could not be made";
    return;
  }
  instance_ = std::move(*instance);
  address_ = open->bound;
  instance_->listen(open->descriptors, {.is_loopback = true, .is_ops = false});
  EXPECT_FALSE(instance_->start({}));
}

RealInstance::~RealInstance() {
  if (instance_ == nullptr) return;
  instance_->stop(std::chrono::seconds(5));
  instance_->join();
}

}  // namespace sluice::test
