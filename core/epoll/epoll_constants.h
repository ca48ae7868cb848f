// Numbers and encodings shared by the two source files of EpollBackend; for nobody else.
#pragma once

#include <sys/epoll.h>

#include <cstddef>
#include <cstdint>

#include "core/backend.h"
#include "core/handle.h"

namespace sluice {

// One buffer per shard. Large, because one big read is far cheaper than several (a 64 KiB message
// in pieces costs nearly twice as much); also the byte budget of a connection per wait.
inline constexpr std::size_t kEpollBufferSize = 512 * 1024;
// Clients accepted per listener and wait, so that a connection storm delays no message for long.
inline constexpr int kEpollAcceptsPerWait = 64;

// EPOLLPRI reports urgent data, at whose mark a read ends early.
inline constexpr std::uint32_t kEpollConnectionEvents =
    EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLET;
// Level-triggered: what is left after the budget is reported again. Exclusive: shards that share a
// UNIX listener are not all woken for one client.
inline constexpr std::uint32_t kEpollListenerEvents = EPOLLIN | EPOLLEXCLUSIVE;

// A Handle as it travels through the kernel. Generation 0 is never a Handle's.
inline constexpr std::uint64_t kEpollWakeTag = 0;
inline std::uint64_t epoll_tag(Handle handle) noexcept {
  return static_cast<std::uint64_t>(handle.generation) << 32 | handle.slot;
}
inline Handle epoll_handle(std::uint64_t tag) noexcept {
  return {static_cast<std::uint32_t>(tag), static_cast<std::uint32_t>(tag >> 32)};
}

inline std::uint32_t epoll_bits(unsigned poll_events) noexcept {
  return ((poll_events & kPollIn) != 0 ? std::uint32_t{EPOLLIN} | EPOLLRDHUP : 0) |
         ((poll_events & kPollOut) != 0 ? std::uint32_t{EPOLLOUT} : 0);
}
inline unsigned poll_events(std::uint32_t epoll_bits) noexcept {
  return ((epoll_bits & (EPOLLIN | EPOLLRDHUP | EPOLLHUP)) != 0 ? kPollIn : 0) |
         ((epoll_bits & EPOLLOUT) != 0 ? kPollOut : 0) |
         ((epoll_bits & (EPOLLERR | EPOLLHUP)) != 0 ? kPollError : 0);
}

}  // namespace sluice
