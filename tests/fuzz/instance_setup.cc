#include "tests/fuzz/instance_setup.h"

#include "core/base/check.h"
#include "tests/fuzz/instance_channels.h"

namespace sluice::fuzz {
namespace {

// One choice of yes or no after the other, out of the bits of bytes.
class Flags {
 public:
  explicit Flags(Choices& choices) : choices_(choices) {}

  bool next() {
    if (left_ == 0) {
      bits_ = choices_.byte();
      left_ = 8;
    }
    --left_;
    const bool is_set = (bits_ & 1) != 0;
    bits_ >>= 1;
    return is_set;
  }

 private:
  Choices& choices_;
  unsigned bits_ = 0;
  unsigned left_ = 0;
};

Limits draw_limits(Flags& flags) {
  Limits limits;
  limits.max_message = flags.next() ? 16 * kKiB : 2000;
  limits.max_fragments = 8;
  if (flags.next()) limits.write_queues_total = limits.write_queue = 16 * kKiB;
  if (flags.next()) limits.write_queue = 4096;
  if (flags.next()) limits.mailbox_messages = flags.next() ? 2 : 0;
  if (flags.next()) limits.mailboxes_total = limits.mailbox_bytes = 4096;
  if (flags.next()) limits.mailbox_time = std::chrono::seconds(30);
  if (flags.next()) limits.page_messages = 1;
  if (flags.next()) limits.max_connections = 3;
  if (flags.next()) limits.max_connections_per_address = 2;
  if (flags.next()) limits.max_channels = 2;
  if (flags.next()) limits.inbox_entries = flags.next() ? 1 : 4;
  if (flags.next()) limits.inbox_aside = limits.max_message;
  if (flags.next()) limits.access_lines = 2;
  if (flags.next()) limits.max_errors = limits.max_pings = 3;
  if (flags.next()) limits.max_head = 512;
  if (flags.next()) limits.fragment_timeout = limits.client_list_interval = std::chrono::seconds(5);
  SLUICE_CHECK(relation_fault(limits) == nullptr);
  return limits;
}

void draw_history(Flags& flags, ChannelOptions& chat) {
  if (flags.next()) chat.history_messages = flags.next() ? 2 : 0;
  if (flags.next()) chat.history_bytes = 1000;
}

AdmissionRules draw_rules(Flags& flags) {
  AdmissionRules rules;
  if (flags.next()) rules.insecure_identities = flags.next();
  if (flags.next()) rules.allowed_origins.push_back(*Origin::parse("https://pages.example"));
  return rules;
}

Compression draw_compression(Choices& choices) {
  Compression compression;
  compression.mode = static_cast<CompressionMode>(choices.below(3));
  if (compression.mode == CompressionMode::kOff) return compression;
  compression.window_bits = static_cast<std::uint8_t>(9 + choices.below(7));
  compression.memory_level = static_cast<std::uint8_t>(1 + choices.below(9));
  compression.min_bytes = choices.byte();
  return compression;
}

SimOptions draw_network(Flags& flags, std::uint64_t seed) {
  SimOptions options = SimOptions::rough(seed);
  if (flags.next()) options.pipe_bytes = 1024;
  if (flags.next()) options.resets_per_10000 = 100;
  if (flags.next()) options.shortage_percent = 2;
  return options;
}

}  // namespace

InstanceSetup draw_setup(Choices& choices) {
  InstanceSetup setup;
  setup.seed = choices.below(65536);
  setup.shards = 1 + static_cast<std::uint32_t>(choices.below(4));
  const std::size_t listener = choices.below(16);  // mostly what most of the gateway is behind
  setup.listener.is_loopback = listener != 1;
  setup.listener.is_ops = listener == 2;
  setup.listener.is_one_socket = listener == 3;
  for (const std::string_view name : {Namespaces::kChat, Namespaces::kUser}) {
    setup.options.namespaces.of(name).slow_consumer = static_cast<SlowConsumer>(choices.below(3));
  }
  setup.options.compression = draw_compression(choices);
  Flags flags(choices);
  setup.network = draw_network(flags, setup.seed);
  setup.has_robot = flags.next();
  setup.options.admission = draw_rules(flags);
  setup.options.limits = draw_limits(flags);
  draw_history(flags, setup.options.namespaces.of(Namespaces::kChat));
  // Seeds that say so; others mean what they always did.
  setup.has_channels = setup.seed >= 0xf800;
  if (setup.has_channels) offer_channels(setup.options, choices);
  if (setup.has_channels && setup.seed < 0xff00) {
    setup.has_disk = (setup.seed & 1) != 0;
    setup.has_hooks = (setup.seed & 2) != 0;
    setup.has_tokens = (setup.seed & 4) != 0;
    setup.options.namespaces.of("hist").sync = setup.has_disk && (setup.seed & 8) != 0;
    setup.options.namespaces.of("hist").conflation = (setup.seed & 16) != 0;
  }
  setup.options.connections_max = setup.options.limits.max_connections;
  return setup;
}

}  // namespace sluice::fuzz
