// Tables keyed by channel names, and where a channel is at home.
//
// Names are chosen by peers, so they are hashed with a key of this process. The hash is computed
// once per operation and travels with it: the same value finds the home shard and the entry there.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/hash.h"

namespace sluice {

// A name with its hash, borrowed.
struct ChannelName {
  std::string_view text;
  std::uint64_t hash = 0;

  static ChannelName of(const HashKey& key, std::string_view text) noexcept {
    return {text, keyed_hash(key, text)};
  }
  // The top bits: tables use the low ones.
  std::uint32_t home(std::uint32_t shards) const noexcept {
    return static_cast<std::uint32_t>((hash >> 32) % shards);
  }
};

// The same, owned by a table.
struct ChannelKey {
  std::string text;
  std::uint64_t hash = 0;

  ChannelKey() = default;
  explicit ChannelKey(ChannelName name) : text(name.text), hash(name.hash) {}
  ChannelName name() const noexcept { return {text, hash}; }
};

struct ChannelHash {
  using is_transparent = void;
  std::size_t operator()(const ChannelKey& key) const noexcept { return key.hash; }
  std::size_t operator()(const ChannelName& name) const noexcept { return name.hash; }
};

struct ChannelEqual {
  using is_transparent = void;
  static std::string_view text(const ChannelKey& key) noexcept { return key.text; }
  static std::string_view text(const ChannelName& name) noexcept { return name.text; }
  template <class A, class B>
  bool operator()(const A& a, const B& b) const noexcept {
    return text(a) == text(b);
  }
};

template <class T>
using ChannelMap = absl::flat_hash_map<ChannelKey, T, ChannelHash, ChannelEqual>;

}  // namespace sluice
