#include "gateway/config/cpus.h"

#include <sched.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <thread>

#include "gateway/config/file.h"

namespace sluice {
namespace {

constexpr unsigned kCpusMax = 8192;  // what Linux can be built for

// The next word of `text`, up to one of `separators`, which is taken off together with that
// separator.
std::string_view take_until(std::string_view& text, std::string_view separators) noexcept {
  const std::size_t end = text.find_first_of(separators);
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return word;
}

std::optional<double> number_in(std::string_view text) noexcept {
  double number = 0;
  const auto done = std::from_chars(text.data(), text.data() + text.size(), number);
  if (done.ec != std::errc{}) return std::nullopt;
  return number;
}

std::optional<double> share(std::optional<double> quota, std::optional<double> period) noexcept {
  if (!quota || !period || *quota <= 0 || *period <= 0) return std::nullopt;  // -1: no quota in v1
  return *quota / *period;
}

// v2: "max 100000" or "150000 100000".
std::optional<double> quota_v2(const FileReader& read, const std::string& folder) {
  const auto content = read(folder + "/cpu.max");
  if (!content) return std::nullopt;
  std::string_view rest = *content;
  const auto quota = number_in(take_until(rest, " "));
  return share(quota, number_in(rest));
}

std::optional<double> quota_v1(const FileReader& read, const std::string& folder) {
  const auto quota = read(folder + "/cpu.cfs_quota_us");
  const auto period = read(folder + "/cpu.cfs_period_us");
  if (!quota || !period) return std::nullopt;
  return share(number_in(*quota), number_in(*period));
}

std::optional<double> tighter(std::optional<double> a, std::optional<double> b) noexcept {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

// The tightest quota from `path` up to the root of the hierarchy at `mount`. A container often sees
// its own group mounted as the root while `path` still is the host's, so a missing folder is
// skipped.
template <class QuotaOf>
std::optional<double> tightest(const FileReader& read, const std::string& mount, std::string path,
                               QuotaOf quota_of) {
  std::optional<double> found;
  while (true) {
    if (path == "/") path.clear();
    found = tighter(found, quota_of(read, mount + path));
    const std::size_t slash = path.rfind('/');
    if (slash == std::string::npos) return found;
    path.resize(slash);
  }
}

bool has_word(std::string_view list, std::string_view wanted) noexcept {
  while (!list.empty()) {
    if (take_until(list, ",") == wanted) return true;
  }
  return false;
}

std::optional<unsigned> cpu_number(std::string_view text) noexcept {
  unsigned number = 0;
  const auto done = std::from_chars(text.data(), text.data() + text.size(), number);
  if (done.ec != std::errc{} || done.ptr != text.data() + text.size() || number >= kCpusMax) {
    return std::nullopt;
  }
  return number;
}

std::vector<unsigned> affinity() {
  // The kernel refuses a mask that is smaller than its own; grow until it fits.
  for (std::size_t cpus = 1024; cpus <= kCpusMax; cpus *= 2) {
    std::vector<unsigned> allowed;
    cpu_set_t* const mask = CPU_ALLOC(cpus);
    const std::size_t size = CPU_ALLOC_SIZE(cpus);
    CPU_ZERO_S(size, mask);
    if (sched_getaffinity(0, size, mask) == 0) {
      for (unsigned cpu = 0; cpu < cpus; ++cpu) {
        if (CPU_ISSET_S(cpu, size, mask)) allowed.push_back(cpu);
      }
    }
    CPU_FREE(mask);
    if (!allowed.empty()) return allowed;
  }
  return {};
}

std::string joined(const std::vector<unsigned>& cpus) {
  std::string text;
  for (const unsigned cpu : cpus) {
    if (!text.empty()) text += ',';
    text += std::to_string(cpu);
  }
  return text;
}

}  // namespace

unsigned CpuReport::usable() const noexcept {
  const auto count = static_cast<unsigned>(allowed.size());
  const double by_quota = quota ? std::ceil(*quota) : static_cast<double>(count);
  const double usable = std::min(static_cast<double>(count), by_quota);
  return std::max(1u, static_cast<unsigned>(usable));
}

std::optional<double> cgroup_cpu_quota(const FileReader& read) {
  const auto groups = read("/proc/self/cgroup");
  if (!groups) return std::nullopt;
  std::optional<double> found;
  std::string_view rest = *groups;
  while (!rest.empty()) {  // "0::/path" or "4:cpu,cpuacct:/path"
    std::string_view line = take_until(rest, "\n");
    const std::string_view number = take_until(line, ":");
    const std::string_view controllers = take_until(line, ":");
    const std::string path(line);
    if (number == "0" && controllers.empty()) {
      found = tighter(found, tightest(read, "/sys/fs/cgroup", path, quota_v2));
    } else if (has_word(controllers, "cpu")) {
      for (const std::string& mount :
           {std::string("/sys/fs/cgroup/cpu"), "/sys/fs/cgroup/" + std::string(controllers)}) {
        found = tighter(found, tightest(read, mount, path, quota_v1));
      }
    }
  }
  return found;
}

CpuReport detect_cpus() {
  CpuReport report;
  report.allowed = affinity();
  if (report.allowed.empty()) {
    const unsigned count = std::max(1u, std::thread::hardware_concurrency());
    for (unsigned cpu = 0; cpu < count; ++cpu) report.allowed.push_back(cpu);
  }
  report.quota = cgroup_cpu_quota([](const std::string& path) { return read_file(path); });
  return report;
}

Result<std::vector<unsigned>, std::string> parse_cpu_list(std::string_view text) {
  const auto malformed = [] {
    return fail(std::string("write a list such as 0,2-3, or auto or none"));
  };
  std::vector<unsigned> cpus;
  if (text.empty() || text.back() == ',') return malformed();
  while (!text.empty()) {
    std::string_view range = take_until(text, ",");
    const bool is_range = range.find('-') != std::string_view::npos;
    const auto first = cpu_number(take_until(range, "-"));
    const auto last = is_range ? cpu_number(range) : first;
    if (!first || !last || *last < *first) return malformed();
    for (unsigned cpu = *first; cpu <= *last; ++cpu) {
      if (std::find(cpus.begin(), cpus.end(), cpu) != cpus.end()) {
        return fail("CPU " + std::to_string(cpu) + " is named twice; name each once");
      }
      cpus.push_back(cpu);
    }
  }
  return cpus;
}

Result<ShardPlan, std::string> plan_shards(const Options& options, const CpuReport& report) {
  ShardPlan plan;
  std::vector<unsigned> cpus = report.allowed;
  unsigned shards = report.usable();
  if (!options.cpus.empty() && options.cpus != "auto") {
    auto listed = parse_cpu_list(options.cpus);
    if (!listed) return fail("--cpus: " + listed.error());
    for (const unsigned cpu : *listed) {
      if (std::find(cpus.begin(), cpus.end(), cpu) != cpus.end()) continue;
      return fail("--cpus: CPU " + std::to_string(cpu) +
                  " is not one this process may use; choose from " + joined(cpus));
    }
    cpus = std::move(*listed);
    shards = static_cast<unsigned>(cpus.size());
  }
  plan.shards = std::min(options.shards != 0 ? options.shards : shards, kShardsMax);
  if (options.cpus.empty()) return plan;
  for (unsigned shard = 0; shard < plan.shards; ++shard) {
    plan.pins.push_back(cpus[shard % cpus.size()]);
  }
  return plan;
}

}  // namespace sluice
