// What /metrics says: the counters of all shards, read while they run, without stopping any of
// them.
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <string>

#include "gateway/hooks/hook_metrics.h"
#include "gateway/instance.h"
#include "gateway/metrics_text.h"
#include "gateway/storage_metrics.h"

namespace sluice {
namespace {

constexpr double kNanosecond = 1e-9;

using Shards = std::vector<std::unique_ptr<Shard>>;

// The sum over all shards of what `read` takes from one.
template <class Read>
auto sum(const Shards& shards, Read&& read) {
  decltype(read(*shards.front())) total{};
  for (const auto& shard : shards) total += read(*shard);
  return total;
}

// One sample per shard.
template <class Read>
void per_shard(MetricsText& text, const Shards& shards, std::string_view name, MetricType type,
               std::string_view help, Read&& read) {
  text.family(name, type, help);
  for (std::size_t i = 0; i < shards.size(); ++i) {
    text.sample({{"shard", std::to_string(i)}}, read(*shards[i]));
  }
}

template <class Read>
void per_dialect(MetricsText& text, const Shards& shards, std::string_view name, MetricType type,
                 std::string_view help, Read&& read) {
  text.family(name, type, help);
  for (std::size_t d = 0; d < kDialectCount; ++d) {
    text.sample({{"dialect", kDialectNames[d]}},
                sum(shards, [&](const Shard& s) { return read(s.counters().dialects[d]); }));
  }
}

void put_sessions(MetricsText& text, const Shards& shards) {
  per_dialect(text, shards, "sluice_connections", MetricType::kGauge, "Open sessions.",
              [](const DialectCounters& d) { return d.connections.value(); });
  per_dialect(text, shards, "sluice_sessions_opened_total", MetricType::kCounter,
              "Sessions opened.", [](const DialectCounters& d) { return d.opened.value(); });
  per_dialect(text, shards, "sluice_messages_received_total", MetricType::kCounter,
              "Whole messages from clients.",
              [](const DialectCounters& d) { return d.received.value(); });
  per_dialect(text, shards, "sluice_messages_sent_total", MetricType::kCounter,
              "Messages queued for clients.",
              [](const DialectCounters& d) { return d.sent.value(); });
  per_dialect(text, shards, "sluice_messages_ignored_total", MetricType::kCounter,
              "Messages of a type that the dialect does not know.",
              [](const DialectCounters& d) { return d.ignored.value(); });

  text.family("sluice_dropped_total", MetricType::kCounter,
              "Messages accepted for delivery to others that were not delivered.");
  for (std::size_t i = 0; i < kDropLabels.size(); ++i) {
    text.sample({{"reason", kDropLabels[i]}},
                sum(shards, [i](const Shard& s) { return s.counters().dropped[i].value(); }));
  }
  text.family("sluice_errors_sent_total", MetricType::kCounter, "Error messages to clients.");
  for (std::size_t i = 0; i < dialect::kErrorCodeCount; ++i) {
    text.sample({{"code", dialect::name(static_cast<dialect::ErrorCode>(i))}},
                sum(shards, [i](const Shard& s) { return s.counters().errors_sent[i].value(); }));
  }
}

void put_robot(MetricsText& text, const Shards& shards) {
  text.family("sluice_robot_answers_total", MetricType::kCounter,
              "Questions to the robot of the group chat, by outcome.");
  for (std::size_t i = 0; i < kRobotOutcomeLabels.size(); ++i) {
    text.sample({{"outcome", kRobotOutcomeLabels[i]}},
                sum(shards, [i](const Shard& s) { return s.counters().robot[i].value(); }));
  }
}

void put_closes(MetricsText& text, const Shards& shards) {
  text.family("sluice_closes_total", MetricType::kCounter,
              "Sessions ended, by close code, who ended them, and why.");
  for (std::size_t cause = 1; cause < kCauseCount; ++cause) {
    const CauseInfo& info = describe(static_cast<Cause>(cause));
    for (std::size_t code = 0; code < kCloseCodeLabels.size(); ++code) {
      const std::uint64_t count =
          sum(shards, [=](const Shard& s) { return s.counters().closes[cause][code].value(); });
      // Most pairs never happen; the one that belongs to a cause is always there, to be graphed.
      if (count == 0 && code != close_code_index(info.code)) continue;
      text.sample(
          {{"code", kCloseCodeLabels[code]}, {"initiator", info.initiator}, {"reason", info.label}},
          count);
    }
  }
  text.family("sluice_queue_sheds_total", MetricType::kCounter,
              "Times that the largest write queue had to give way to the bound of all.");
  text.sample(sum(shards, [](const Shard& s) { return s.counters().sheds.value(); }));
}

void put_http(MetricsText& text, const Shards& shards) {
  const auto count = [&](std::string_view name, std::string_view help, auto read) {
    text.family(name, MetricType::kCounter, help);
    text.sample(sum(shards, read));
  };
  count("sluice_accepted_total", "Connections accepted.",
        [](const Shard& s) { return s.counters().accepted.value(); });
  count("sluice_handed_over_total", "Connections accepted by one shard and served by another.",
        [](const Shard& s) { return s.counters().handed_over.value(); });
  count("sluice_accept_pauses_total", "Times that accepting paused for want of descriptors.",
        [](const Shard& s) { return s.counters().accept_pauses.value(); });
  count("sluice_http_requests_total", "HTTP requests, handshakes included.",
        [](const Shard& s) { return s.counters().http_requests.value(); });
  count("sluice_requests_held_back_total", "Requests counted in the log without a line of theirs.",
        [](const Shard& s) { return s.counters().requests_held_back.value(); });
  text.family("sluice_refused_total", MetricType::kCounter, "HTTP requests refused.");
  for (std::size_t i = 0; i < kRefusedLabels.size(); ++i) {
    text.sample({{"reason", kRefusedLabels[i]}},
                sum(shards, [i](const Shard& s) { return s.counters().refused[i].value(); }));
  }
}

void put_turns(MetricsText& text, const Shards& shards) {
  const auto counter = [&](std::string_view name, std::string_view help, auto read) {
    per_shard(text, shards, name, MetricType::kCounter, help, read);
  };
  const auto gauge = [&](std::string_view name, std::string_view help, auto read) {
    per_shard(text, shards, name, MetricType::kGauge, help, read);
  };
  counter("sluice_turns_total", "Rounds of the shard's loop.",
          [](const Shard& s) { return s.reactor().counters().turns.value(); });
  counter("sluice_turn_busy_seconds_total", "Time spent in turns, waiting excluded.",
          [](const Shard& s) {
            return static_cast<double>(s.reactor().counters().busy_ns.value()) * kNanosecond;
          });
  counter("sluice_received_bytes_total", "Bytes received.",
          [](const Shard& s) { return s.reactor().counters().bytes_received.value(); });
  counter("sluice_sent_bytes_total", "Bytes sent.",
          [](const Shard& s) { return s.reactor().counters().bytes_sent.value(); });
  counter("sluice_flushes_total", "Sends, each of everything one connection had queued.",
          [](const Shard& s) { return s.reactor().counters().flushes.value(); });
  counter("sluice_input_pauses_total", "Times that reading from a connection was paused.",
          [](const Shard& s) { return s.reactor().counters().pauses.value(); });
  counter("sluice_receive_starved_total", "Receives that waited for a buffer.",
          [](const Shard& s) { return s.backend().counters().receive_starved.value(); });
  counter("sluice_completions_deferred_total", "Completion queue overflows survived.",
          [](const Shard& s) { return s.backend().counters().completions_deferred.value(); });
  gauge("sluice_shard_connections", "Connections of the shard, HTTP included.",
        [](const Shard& s) { return s.reactor().counters().connections.value(); });
  gauge("sluice_queued_bytes", "Bytes in write queues.",
        [](const Shard& s) { return s.reactor().counters().queued_bytes.value(); });
  gauge("sluice_receive_buffer_bytes", "Receive buffers held.",
        [](const Shard& s) { return s.backend().counters().buffer_bytes.value(); });
  gauge("sluice_pool_held_bytes", "Memory of the shard's block pool.",
        [](const Shard& s) { return s.block_counters().bytes_held.value(); });
  gauge("sluice_pool_used_bytes", "Block pool memory in use.",
        [](const Shard& s) { return s.block_counters().bytes_in_use.value(); });
}

// What channels do and keep, by home shard.
void put_channels(MetricsText& text, const Shards& shards) {
  const auto counter = [&](std::string_view name, std::string_view help, auto read) {
    per_shard(text, shards, name, MetricType::kCounter, help, read);
  };
  const auto gauge = [&](std::string_view name, std::string_view help, auto read) {
    per_shard(text, shards, name, MetricType::kGauge, help, read);
  };
  gauge("sluice_channels", "Channels whose home is the shard.",
        [](const Shard& s) { return s.counters().channels.value(); });
  gauge("sluice_users", "Users with a session somewhere, by the home of their channel.",
        [](const Shard& s) { return s.counters().users.value(); });
  counter("sluice_publications_repeated_total", "Publications told by their id to be repetitions.",
          [](const Shard& s) { return s.counters().repeated.value(); });
  counter("sluice_presence_untold_total",
          "Who came or went, for each session not told because its shard could not take more.",
          [](const Shard& s) { return s.counters().presence_untold.value(); });
  counter("sluice_histories_lost_total",
          "Histories given up whole because all together were too large.",
          [](const Shard& s) { return s.counters().histories_lost.value(); });
  gauge("sluice_history_messages", "Messages kept as history.",
        [](const Shard& s) { return s.counters().history_messages.value(); });
  gauge("sluice_history_bytes", "What history is charged with.",
        [](const Shard& s) { return s.counters().history_bytes.value(); });
  gauge("sluice_mailbox_messages", "Messages that wait for absent users.",
        [](const Shard& s) { return s.counters().mailbox_messages.value(); });
  gauge("sluice_mailbox_bytes", "What mailboxes are charged with.",
        [](const Shard& s) { return s.counters().mailbox_bytes.value(); });
  counter("sluice_published_total", "Publications that came to their channel's home.",
          [](const Shard& s) { return s.counters().published.value(); });
  counter("sluice_distributed_total", "Of these, those whose channel somebody followed then.",
          [](const Shard& s) { return s.counters().distributed.value(); });
  counter("sluice_fanned_out_total",
          "Deliveries that publications became: one per session that followed the channel.",
          [](const Shard& s) { return s.counters().fanned_out.value(); });
  counter("sluice_delivered_total", "Of these, those that the kernel has taken completely.",
          [](const Shard& s) { return s.reactor().counters().payloads_sent.value(); });
  counter("sluice_mailbox_returned_total",
          "Messages stored that had been on their way to a session.",
          [](const Shard& s) { return s.counters().mailbox_returned.value(); });
  counter("sluice_mailbox_stored_total", "Messages stored for absent users.",
          [](const Shard& s) { return s.counters().mailbox_stored.value(); });
  counter("sluice_mailbox_delivered_total", "Messages handed to users who came back.",
          [](const Shard& s) { return s.counters().mailbox_delivered.value(); });
  counter("sluice_mailbox_held_total",
          "Of the messages stored, those delivered at the same time and kept until acknowledged.",
          [](const Shard& s) { return s.counters().mailbox_held.value(); });
  counter("sluice_mailbox_copied_total",
          "Messages sent from mailboxes in which they stay until they are acknowledged.",
          [](const Shard& s) { return s.counters().mailbox_copied.value(); });
  counter("sluice_mailbox_kept_total",
          "Deliveries that came back unsent, of messages that wait to be acknowledged or were.",
          [](const Shard& s) { return s.counters().mailbox_kept.value(); });
  counter("sluice_mailbox_acknowledged_total", "Messages that clients acknowledged.",
          [](const Shard& s) { return s.counters().mailbox_acknowledged.value(); });
  counter("sluice_acks_unknown_total",
          "Acknowledgements of messages that were acknowledged before, given up, or never there.",
          [](const Shard& s) { return s.counters().acks_unknown.value(); });
  gauge("sluice_subscriptions", "Subscriptions of the shard's sessions.",
        [](const Shard& s) { return s.counters().subscriptions.value(); });
}

void put_compression(MetricsText& text, const Shards& shards) {
  text.family("sluice_compression_agreed_total", MetricType::kCounter,
              "Handshakes that agreed on permessage-deflate.");
  text.sample(sum(shards, [](const Shard& s) { return s.counters().compression_agreed.value(); }));
  text.family("sluice_compressed_bytes_total", MetricType::kCounter,
              "Bytes of messages that came compressed or were compressed, once for all that share "
              "the result; form: before and after.");
  const auto sample = [&](std::string_view direction, std::string_view form, auto read) {
    text.sample({{"direction", direction}, {"form", form}}, sum(shards, read));
  };
  sample("in", "compressed", [](const Shard& s) { return s.counters().inflated_from.value(); });
  sample("in", "plain", [](const Shard& s) { return s.counters().inflated_to.value(); });
  sample("out", "compressed", [](const Shard& s) { return s.counters().deflated_to.value(); });
  sample("out", "plain", [](const Shard& s) { return s.counters().deflated_from.value(); });
  per_shard(text, shards, "sluice_compression_memory_bytes", MetricType::kGauge,
            "Compressors and windows that connections keep.",
            [](const Shard& s) { return s.counters().compression_bytes.value(); });
}

void put_inboxes(MetricsText& text, const Shards& shards, const Exchange<ShardMessage>& exchange) {
  const auto family = [&](std::string_view name, MetricType type, std::string_view help,
                          auto read) {
    text.family(name, type, help);
    for (std::uint32_t i = 0; i < shards.size(); ++i) {
      text.sample({{"shard", std::to_string(i)}}, read(exchange.counters(i)));
    }
  };
  family("sluice_inbox_messages_total", MetricType::kCounter, "Messages from other threads.",
         [](const ExchangeCounters& c) { return c.messages_in.value(); });
  family("sluice_inbox_wakes_total", MetricType::kCounter, "Sleeping shards that the shard woke.",
         [](const ExchangeCounters& c) { return c.wakes_sent.value(); });
  family("sluice_inbox_full_total", MetricType::kCounter,
         "Times that another shard's inbox was full.",
         [](const ExchangeCounters& c) { return c.ring_full.value(); });
  family("sluice_inbox_aside", MetricType::kGauge, "Messages kept aside for full inboxes.",
         [](const ExchangeCounters& c) { return c.aside.value(); });
}

void put_api(MetricsText& text, const Shards& shards) {
  text.family("sluice_api_calls_total", MetricType::kCounter,
              "Commands of the server API, those of batches included.");
  for (std::size_t i = 0; i < api::kMethodCount; ++i) {
    text.sample({{"method", api::kMethodNames[i]}},
                sum(shards, [i](const Shard& s) { return s.counters().api_calls[i].value(); }));
  }
  text.family("sluice_api_errors_total", MetricType::kCounter,
              "Commands, and channels of broadcasts, that were answered with an error.");
  for (std::size_t i = 0; i < kApiErrorLabels.size(); ++i) {
    text.sample({{"code", kApiErrorLabels[i]}},
                sum(shards, [i](const Shard& s) { return s.counters().api_errors[i].value(); }));
  }
}

KeepingFigures keeping_figures(const Shards& shards) {
  KeepingFigures all;
  for (const auto& shard : shards) {
    const ShardCounters& counters = shard->counters();
    all.unkept += counters.unkept.value();
    all.stale_channels += counters.stale_channels.value();
    all.delayed += counters.delayed.value();
    all.waiting_bytes += counters.storage_waiting_bytes.value();
    all.mailbox_restored += counters.mailbox_restored.value();
  }
  return all;
}

// Resident bytes and open descriptors, by /proc; zero where it cannot be read.
struct ProcessFigures {
  std::int64_t resident_bytes = 0;
  double cpu_seconds = 0;
};

ProcessFigures process_figures() noexcept {
  ProcessFigures figures;
  if (std::FILE* file = std::fopen("/proc/self/statm", "re")) {
    long size = 0;
    long resident = 0;
    if (std::fscanf(file, "%ld %ld", &size, &resident) == 2) {
      figures.resident_bytes = std::int64_t{resident} * sysconf(_SC_PAGESIZE);
    }
    std::fclose(file);
  }
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) == 0) {
    const auto seconds = [](const timeval& t) {
      return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
    };
    figures.cpu_seconds = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  }
  return figures;
}

void put_process(MetricsText& text, std::string_view backend, Duration up) {
  text.family("sluice_build_info", MetricType::kGauge, "Version and backend, as labels.");
  text.sample({{"version", SLUICE_VERSION}, {"backend", backend}}, std::uint64_t{1});
  text.family("sluice_uptime_seconds", MetricType::kGauge, "Time since the start.");
  text.sample(static_cast<double>(up.count()) * kNanosecond);
  const ProcessFigures figures = process_figures();
  text.family("process_resident_memory_bytes", MetricType::kGauge, "Resident memory.");
  text.sample(figures.resident_bytes);
  text.family("process_cpu_seconds_total", MetricType::kCounter, "CPU time, user and system.");
  text.sample(figures.cpu_seconds);
}

}  // namespace

std::string Instance::metrics() const {
  MetricsText text;
  put_sessions(text, shards_);
  put_robot(text, shards_);
  put_closes(text, shards_);
  put_http(text, shards_);
  put_turns(text, shards_);
  put_channels(text, shards_);
  put_api(text, shards_);
  std::vector<const HookCounters*> hooks;
  for (const auto& shard : shards_) hooks.push_back(&shard->counters().hooks);
  append_hook_metrics(text, hooks);
  put_compression(text, shards_);
  put_inboxes(text, shards_, exchange_);
  if (options_.storage != nullptr) {
    put_storage(text, options_.storage->counters(), keeping_figures(shards_));
  }
  text.family("sluice_connections_limit", MetricType::kGauge,
              "Connections allowed in total; 0: no limit.");
  text.sample(static_cast<std::uint64_t>(options_.connections_max));
  text.family("sluice_log_lines_lost_total", MetricType::kCounter,
              "Log lines dropped because standard error took no more.");
  text.sample(shared_.log.lines_lost());
  put_process(text, shards_.front()->backend().name(), clock_.now() - started_);
  return text.text();
}

InstanceFigures Instance::figures() const {
  const auto total = [this](auto read) {
    std::int64_t all = 0;
    for (const auto& shard : shards_) all += read(shard->counters());
    return static_cast<std::uint64_t>(std::max<std::int64_t>(all, 0));
  };
  InstanceFigures figures;
  figures.id = id_;
  figures.version = SLUICE_VERSION;
  figures.sessions = total([](const ShardCounters& c) {
    std::int64_t sessions = 0;
    for (const DialectCounters& dialect : c.dialects) sessions += dialect.connections.value();
    return sessions;
  });
  figures.users = total([](const ShardCounters& c) { return c.users.value(); });
  figures.subscriptions = total([](const ShardCounters& c) { return c.subscriptions.value(); });
  figures.channels = total([](const ShardCounters& c) { return c.channels.value(); });
  figures.uptime_seconds = static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::seconds>(clock_.now() - started_).count());
  return figures;
}

}  // namespace sluice
