#include "bench/ws_flood/process_stats.h"

#include <filesystem>
#include <fstream>
#include <limits>
#include <string>

namespace sluice::flood {
namespace {

std::filesystem::path folder_of(pid_t pid) {
  return std::filesystem::path("/proc") / std::to_string(pid);
}

}  // namespace

std::optional<std::uint64_t> cpu_time_ns(pid_t pid) {
  std::error_code error;
  std::uint64_t total = 0;
  bool is_there = false;
  std::filesystem::directory_iterator task(folder_of(pid) / "task", error);
  for (; !error && task != std::filesystem::directory_iterator(); task.increment(error)) {
    std::uint64_t on_cpu = 0;
    std::ifstream file(task->path() / "schedstat");  // time on a CPU, time waiting, turns
    if (!(file >> on_cpu)) continue;                 // that thread has ended meanwhile
    total += on_cpu;
    is_there = true;
  }
  if (!is_there) return std::nullopt;
  return total;
}

std::optional<std::uint64_t> resident_bytes(pid_t pid) {
  std::ifstream file(folder_of(pid) / "smaps_rollup");
  file.ignore(std::numeric_limits<std::streamsize>::max(), '\n');  // the address range
  std::string name;
  std::uint64_t kibibytes = 0;
  while (file >> name >> kibibytes) {
    if (name == "Rss:") return kibibytes * 1024;
    file.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
  }
  return std::nullopt;
}

}  // namespace sluice::flood
