// Which CPUs this process may use, and what that means for shards.
//
// In a container the number of CPUs of the machine is the wrong answer twice: the affinity mask may
// be smaller, and a cgroup quota may allow fewer CPUs' worth of time than the mask shows. A shard
// per CPU that the quota then throttles stalls all of its sessions for tens of milliseconds at a
// time.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "core/base/result.h"
#include "gateway/config/options.h"

namespace sluice {

struct CpuReport {
  std::vector<unsigned> allowed;  // by sched_getaffinity, ascending, never empty
  std::optional<double> quota;    // CPUs' worth of time by the tightest cgroup above us, v1 or v2

  // CPUs that can run at the same time; a quota is rounded up. At least 1.
  unsigned usable() const noexcept;
};

// read_file, or what a test puts in its place.
using FileReader = std::function<Result<std::string, std::error_code>(const std::string& path)>;

// The quota by /proc/self/cgroup and /sys/fs/cgroup, as `read` shows them.
std::optional<double> cgroup_cpu_quota(const FileReader& read);

CpuReport detect_cpus();

// "0,2-3" -> {0, 2, 3}: in the order given, none twice. The error is a remedy without the option's
// name.
Result<std::vector<unsigned>, std::string> parse_cpu_list(std::string_view text);

struct ShardPlan {
  unsigned shards = 1;
  std::vector<unsigned> pins;  // the CPU of each shard; empty: the kernel decides
};

// What --shards and --cpus mean on this machine. The error is one line for the operator.
Result<ShardPlan, std::string> plan_shards(const Options& options, const CpuReport& report);

}  // namespace sluice
