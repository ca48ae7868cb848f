#include "gateway/config/cpus.h"

#include <gtest/gtest.h>

#include <map>

namespace sluice {
namespace {

using Files = std::map<std::string, std::string>;

FileReader reader_of(Files files) {
  return
      [files = std::move(files)](const std::string& path) -> Result<std::string, std::error_code> {
        const auto file = files.find(path);
        if (file == files.end())
          return fail(std::make_error_code(std::errc::no_such_file_or_directory));
        return file->second;
      };
}

Options with(unsigned shards, std::string cpus) {
  Options options;
  options.shards = shards;
  options.cpus = std::move(cpus);
  return options;
}

TEST(CgroupQuota, IsNoneWithoutFilesOrLimits) {
  EXPECT_EQ(cgroup_cpu_quota(reader_of({})), std::nullopt);
  EXPECT_EQ(cgroup_cpu_quota(reader_of(
                {{"/proc/self/cgroup", "0::/\n"}, {"/sys/fs/cgroup/cpu.max", "max 100000\n"}})),
            std::nullopt);
}

TEST(CgroupQuota, OfVersion2IsTheTightestUpToTheRoot) {
  EXPECT_EQ(cgroup_cpu_quota(reader_of({
                {"/proc/self/cgroup", "0::/system.slice/sluice.service\n"},
                {"/sys/fs/cgroup/system.slice/sluice.service/cpu.max", "400000 100000\n"},
                {"/sys/fs/cgroup/system.slice/cpu.max", "150000 100000\n"},
            })),
            1.5);
}

TEST(CgroupQuota, OfVersion2IsFoundAtTheRootOfAContainer) {
  EXPECT_EQ(cgroup_cpu_quota(reader_of(
                {{"/proc/self/cgroup", "0::/\n"}, {"/sys/fs/cgroup/cpu.max", "50000 100000\n"}})),
            0.5);
}

TEST(CgroupQuota, OfVersion1IsFoundWhenThePathIsTheHosts) {
  EXPECT_EQ(cgroup_cpu_quota(reader_of({
                {"/proc/self/cgroup", "12:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc\n0::/\n"},
                {"/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "200000\n"},
                {"/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n"},
            })),
            2.0);
}

TEST(CgroupQuota, OfVersion1IsOffWhenNegative) {
  EXPECT_EQ(cgroup_cpu_quota(reader_of({
                {"/proc/self/cgroup", "4:cpu:/\n"},
                {"/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n"},
                {"/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n"},
            })),
            std::nullopt);
}

TEST(CgroupQuota, SurvivesNonsense) {
  for (const char* groups : {"", "\n\n", ":::", "0::", "0::relative", "x"}) {
    EXPECT_EQ(cgroup_cpu_quota(
                  reader_of({{"/proc/self/cgroup", groups}, {"/sys/fs/cgroup/cpu.max", "many 0"}})),
              std::nullopt)
        << groups;
  }
}

TEST(CpuReport, RoundsAQuotaUpAndNeverBelowOne) {
  EXPECT_EQ((CpuReport{{0, 1, 2, 3}, std::nullopt}).usable(), 4u);
  EXPECT_EQ((CpuReport{{0, 1, 2, 3}, 1.5}).usable(), 2u);
  EXPECT_EQ((CpuReport{{0, 1, 2, 3}, 0.1}).usable(), 1u);
  EXPECT_EQ((CpuReport{{0, 1}, 16.0}).usable(), 2u);
}

TEST(CpuReport, OfThisMachineNamesAtLeastOneCpu) {
  const CpuReport report = detect_cpus();
  EXPECT_FALSE(report.allowed.empty());
  EXPECT_GE(report.usable(), 1u);
}

TEST(CpuList, KeepsTheOrderGiven) {
  EXPECT_EQ(parse_cpu_list("0"), (std::vector<unsigned>{0}));
  EXPECT_EQ(parse_cpu_list("0,2-3"), (std::vector<unsigned>{0, 2, 3}));
  EXPECT_EQ(parse_cpu_list("7,1-2"), (std::vector<unsigned>{7, 1, 2}));
}

TEST(CpuList, RefusesWhatIsNoList) {
  for (const char* text : {"", ",", "0,", ",0", "a", "3-1", "1-", "-1", "1--2", "0 1", "8192",
                           "0-4294967295", "1-2-3"}) {
    EXPECT_FALSE(parse_cpu_list(text).has_value()) << text;
  }
  const auto twice = parse_cpu_list("1,0-2");
  ASSERT_FALSE(twice.has_value());
  EXPECT_EQ(twice.error(), "CPU 1 is named twice; name each once");
}

TEST(ShardPlan, HasOneShardForEachUsableCpuUnlessTold) {
  const CpuReport report{{0, 1, 2, 3}, 2.0};
  EXPECT_EQ(plan_shards(with(0, ""), report)->shards, 2u);
  EXPECT_TRUE(plan_shards(with(0, ""), report)->pins.empty());
  EXPECT_EQ(plan_shards(with(7, ""), report)->shards, 7u);
}

TEST(ShardPlan, PinsToTheAllowedCpusInTurn) {
  const CpuReport report{{4, 6}, std::nullopt};
  const auto plan = plan_shards(with(3, "auto"), report);
  ASSERT_TRUE(plan.has_value());
  EXPECT_EQ(plan->pins, (std::vector<unsigned>{4, 6, 4}));
}

TEST(ShardPlan, AListGivesTheNumberOfShardsAndTheirCpus) {
  const CpuReport report{{0, 1, 2, 3}, 1.0};
  const auto plan = plan_shards(with(0, "3,1"), report);
  ASSERT_TRUE(plan.has_value());
  EXPECT_EQ(plan->shards, 2u);
  EXPECT_EQ(plan->pins, (std::vector<unsigned>{3, 1}));
}

TEST(ShardPlan, RefusesACpuThatTheProcessMayNotUse) {
  const auto plan = plan_shards(with(0, "1,5"), CpuReport{{0, 1}, std::nullopt});
  ASSERT_FALSE(plan.has_value());
  EXPECT_EQ(plan.error(), "--cpus: CPU 5 is not one this process may use; choose from 0,1");
}

TEST(ShardPlan, StaysWithinWhatAMaskOfShardsHolds) {
  CpuReport report;
  for (unsigned cpu = 0; cpu < 2 * kShardsMax; ++cpu) report.allowed.push_back(cpu);
  EXPECT_EQ(plan_shards(with(0, ""), report)->shards, kShardsMax);
}

}  // namespace
}  // namespace sluice
