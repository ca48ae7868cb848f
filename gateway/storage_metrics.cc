#include "gateway/storage_metrics.h"

namespace sluice {

void put_storage(MetricsText& text, const StorageCounters& counters,
                 const KeepingFigures& keeping) {
  const auto counter = [&](std::string_view name, std::string_view help, auto value) {
    text.family(name, MetricType::kCounter, help);
    text.sample(value);
  };
  const auto gauge = [&](std::string_view name, std::string_view help, std::int64_t value) {
    text.family(name, MetricType::kGauge, help);
    text.sample(value);
  };
  gauge("sluice_storage_up", "Whether what is kept goes to the disk: 1, or 0 after a failure.",
        counters.up.value());
  text.family("sluice_storage_failures_total", MetricType::kCounter,
              "Times that storing or opening the database failed.");
  for (std::size_t i = 0; i < kStorageCauseLabels.size(); ++i) {
    text.sample({{"cause", kStorageCauseLabels[i]}}, counters.failures[i].value());
  }
  counter("sluice_storage_reopened_total", "Times that it worked again.",
          counters.reopened.value());
  counter("sluice_storage_commits_total", "Batches that are on disk.", counters.commits.value());
  counter("sluice_storage_commit_seconds_total", "Time spent in writing them.",
          static_cast<double>(counters.commit_ns.value()) * 1e-9);
  counter("sluice_storage_written_bytes_total", "Bytes of records in them.",
          counters.bytes.value());
  gauge("sluice_storage_waiting_bytes", "Bytes of records that are not on disk yet.",
        keeping.waiting_bytes);
  gauge("sluice_storage_delayed", "Publications that wait until they are on disk.",
        keeping.delayed);
  counter("sluice_storage_unkept_total",
          "Publications that the storage could not take when they came.", keeping.unkept);
  gauge("sluice_storage_stale_channels", "Channels that have to be written anew for that.",
        keeping.stale_channels);
  counter("sluice_mailbox_restored_total", "Messages for absent users found on disk at the start.",
          keeping.mailbox_restored);
}

}  // namespace sluice
