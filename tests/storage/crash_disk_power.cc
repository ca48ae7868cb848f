// What becomes of a CrashDisk when power comes back, or a program is killed.
#include <algorithm>
#include <utility>

#include "tests/storage/crash_disk.h"

namespace sluice::test {

// Which changes of the time since the last sync are there when power is back.
struct CrashDisk::Survival {
  Survival(std::uint64_t seed, Loss kind, std::uint64_t last)
      : random(seed),
        loss(kind),
        sector_size(random.chance(1, 2) ? 512 : 4096),
        has_junk(random.chance(1, 2)),
        until(random.below(last + 1)) {}

  // The moment up to which something is as it was then, if `moments` are those at which it changed.
  std::uint64_t moment(const std::vector<std::uint64_t>& moments) {
    switch (loss) {
      case Loss::kEverything:
        return 0;
      case Loss::kNothing:
        return UINT64_MAX;
      case Loss::kTail:
        return until;
      case Loss::kScattered:
        break;
    }
    const std::uint64_t chosen = random.below(moments.size() + 1);
    return chosen == 0 ? 0 : moments[chosen - 1];
  }

  struct Size {
    std::uint64_t moment;
    std::uint64_t size;
  };

  void lose_content(File& file);
  std::string sector(const File& file, const std::string& image, std::uint64_t begin,
                     std::uint64_t end, std::uint64_t last);
  std::uint64_t size_at(const std::vector<Size>& sizes);

  Random random;
  const Loss loss;
  const std::uint64_t sector_size;
  const bool has_junk;
  const std::uint64_t until;
};

// What is in [begin, end) of `image` if the file's changes up to `last` came.
std::string CrashDisk::Survival::sector(const File& file, const std::string& image,
                                        std::uint64_t begin, std::uint64_t end,
                                        std::uint64_t last) {
  std::string now = image.substr(begin, end - begin);
  for (const File::Change& change : file.pending) {
    if (change.sequence > last) break;
    const std::uint64_t from = std::max(change.offset, begin);
    if (change.is_truncation) {
      for (std::uint64_t at = from; at < end; ++at) now[at - begin] = 0;
      continue;
    }
    const std::uint64_t to = std::min(change.offset + change.bytes.size(), end);
    if (from >= to) continue;
    now.replace(from - begin, to - from, change.bytes, from - change.offset, to - from);
  }
  return now;
}

void CrashDisk::Survival::lose_content(File& file) {
  std::map<std::uint64_t, std::vector<std::uint64_t>> sectors;  // moments at which each changed
  std::vector<Size> sizes{{0, file.durable.size()}};
  std::uint64_t largest = file.durable.size();
  for (const File::Change& change : file.pending) {
    const std::uint64_t size = sizes.back().size;
    const std::uint64_t end =
        std::max(change.offset + change.bytes.size(), change.is_truncation ? size : 0);
    for (std::uint64_t at = change.offset / sector_size; at * sector_size < end; ++at) {
      sectors[at].push_back(change.sequence);
    }
    const std::uint64_t after = change.is_truncation ? change.offset : std::max(size, end);
    if (after != size) sizes.push_back({change.sequence, after});
    largest = std::max(largest, after);
  }
  std::string image = file.durable;
  image.resize(largest);
  for (const auto& [at, moments] : sectors) {
    std::uint64_t last = moment(moments);
    // The change of the moment itself is torn: some of its sectors came, the others did not.
    if (loss == Loss::kTail && last > 0 && random.chance(1, 2)) --last;
    const std::uint64_t begin = at * sector_size;
    const std::uint64_t end = std::min(begin + sector_size, largest);
    if (begin >= end) continue;
    const bool is_new = begin >= file.durable.size();
    if (loss == Loss::kScattered && has_junk && is_new && last < moments.back()) {
      for (std::uint64_t byte = begin; byte < end; ++byte) {
        image[byte] = static_cast<char>(random.next());
      }
    } else {
      image.replace(begin, end - begin, sector(file, image, begin, end, last));
    }
  }
  image.resize(size_at(sizes));
  file.now = std::move(image);
}

std::uint64_t CrashDisk::Survival::size_at(const std::vector<Size>& sizes) {
  std::vector<std::uint64_t> moments;
  for (const Size& size : sizes) {
    if (size.moment != 0) moments.push_back(size.moment);
  }
  const std::uint64_t last = moment(moments);
  std::uint64_t chosen = sizes.front().size;
  for (const Size& size : sizes) {
    if (size.moment <= last) chosen = size.size;
  }
  return chosen;
}

void CrashDisk::restore_power(std::uint64_t seed) {
  Random random(seed);
  const std::uint64_t kind = random.below(10);
  const Loss loss = kind == 0   ? Loss::kEverything
                    : kind == 1 ? Loss::kNothing
                    : kind < 5  ? Loss::kTail
                                : Loss::kScattered;
  restore_power(random.next(), loss);
}

void CrashDisk::restore_power(std::uint64_t seed, Loss loss) {
  const std::lock_guard lock(mutex_);
  Survival survival(seed, loss, operations_);
  lose_names(survival);
  for (auto& [name, file] : names_) survival.lose_content(*file);
  start_again();
}

void CrashDisk::lose_names(Survival& survival) {
  Names survivors = durable_names_;
  for (const auto& [name, changes] : pending_names_) {
    std::vector<std::uint64_t> moments;
    for (const NameChange& change : changes) moments.push_back(change.sequence);
    const std::uint64_t last = survival.moment(moments);
    for (const NameChange& change : changes) {
      if (change.sequence > last) break;
      if (change.file == nullptr) {
        survivors.erase(name);
      } else {
        survivors[name] = change.file;
      }
    }
  }
  names_ = std::move(survivors);
}

void CrashDisk::kill() {
  const std::lock_guard lock(mutex_);
  has_power_ = true;
  cut_at_ = 0;
  ++generation_;
  for (auto& [name, file] : names_) {
    // What is not synced stays so: power may still go.
    auto copy = std::make_shared<File>();
    copy->name = file->name;
    copy->generation = generation_;
    copy->now = file->now;
    copy->durable = file->durable;
    copy->pending = file->pending;
    for (auto& [durable_name, durable_file] : durable_names_) {
      if (durable_file == file) durable_file = copy;
    }
    for (auto& [pending_name, changes] : pending_names_) {
      for (NameChange& change : changes) {
        if (change.file == file) change.file = copy;
      }
    }
    file = std::move(copy);
  }
}

// All that is there now is what the disk has; handles of before are good for nothing.
void CrashDisk::start_again() {
  ++generation_;
  for (auto& [name, file] : names_) {
    auto fresh = std::make_shared<File>();
    fresh->name = name;
    fresh->generation = generation_;
    fresh->now = file->now;
    fresh->durable = file->now;
    file = std::move(fresh);
  }
  durable_names_ = names_;
  pending_names_.clear();
  has_power_ = true;
  cut_at_ = 0;
}

}  // namespace sluice::test
