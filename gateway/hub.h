// Everything one shard knows about which of its sessions follow which channel.
//
// Members are contiguous, since a publication walks all of them; leaving swaps the last member into
// the gap, and each session keeps where it stands, so joining and leaving cost the same at any
// size.
//
// Owned by a shard and touched only on its thread, hence no locks. Points to Sessions without
// owning them: a Session leaves before it ends. Does not know other shards; that is the Router's
// business.
#pragma once

#include <cstdint>
#include <vector>

#include "gateway/broker.h"
#include "gateway/channel_name.h"
#include "gateway/config/namespaces.h"
#include "gateway/control.h"
#include "gateway/presence_entry.h"
#include "gateway/publication.h"

namespace sluice {

class Session;

class Hub {
 public:
  // A session's place in a channel.
  struct Place {
    std::uint32_t channel = 0;
    std::uint32_t index = 0;
  };

  explicit Hub(const Namespaces& namespaces) : namespaces_(namespaces) {}

  // From now on `session` gets the channel's publications. REQUIRES: it is not a member yet.
  Place join(ChannelName name, Session& session);
  void leave(Place place) noexcept;

  // Hands a publication to every member; returns how many there were. Does not take the reference.
  std::size_t deliver(ChannelName name, const Publication& publication, Position position) noexcept;
  // Tells every member that `missed` publications of the channel are lost to them; at least one.
  void report_gap(ChannelName name, std::uint64_t missed) noexcept;

  // Whether the kernel has all that the members were to be sent.
  bool has_sent_all(ChannelName name) noexcept;
  // To every member: somebody came to the channel, or left it.
  void tell_presence(ChannelName name, const PresenceEntry& entry, bool is_there) noexcept;
  // To every session of the user whose channel it is.
  void control(ChannelName name, const Control& control) noexcept;

  // Memberships, all channels together.
  std::size_t memberships() const noexcept { return memberships_; }

 private:
  struct Channel {
    ChannelKey name;
    const ChannelOptions* options = nullptr;
    std::vector<Session*> members;
  };
  Channel* find(ChannelName name) noexcept;

  const Namespaces& namespaces_;
  ChannelMap<std::uint32_t> by_name_;
  std::vector<Channel> channels_;
  std::vector<std::uint32_t> free_;
  std::size_t memberships_ = 0;
};

}  // namespace sluice
