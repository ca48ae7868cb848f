#include "tests/differential/backend_pair.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "core/base/random.h"
#include "tests/differential/backend_case.h"
#include "tests/differential/backend_player.h"
#include "tests/differential/backend_sides.h"

namespace sluice::differential {
namespace {

// Instances are made anew now and then, with other limits: what they keep stays small.
constexpr std::uint64_t kCasesPerInstance = 2048;
constexpr std::uint64_t kBatch = 16;
constexpr std::uint64_t kFindingsMax = 10;
constexpr std::chrono::seconds kPatience{60};

struct Played {
  std::vector<std::string> transcripts;
  Causes causes;         // of all of the batch
  bool is_left = false;  // connections are, although all clients have gone
};

// Printable, and cut where it gets long.
std::string shown(const std::string& text) {
  std::string out;
  for (const char c : text.substr(0, 600)) {
    if (c >= 0x20 && c < 0x7f) {
      out += c;
    } else {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  return out + fmt::format(" ({} bytes)", text.size());
}

// Both from where they part.
std::string shown_apart(const std::string& a, const std::string& b) {
  const auto apart = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  const auto at = static_cast<std::size_t>(apart.first - a.begin());
  const std::size_t from = at < 40 ? 0 : at - 40;
  return fmt::format("from byte {} on\n    {}\n    {}", from, shown(a.substr(from)),
                     shown(b.substr(from)));
}

// The sides on which cases are played.
class Stage {
 public:
  Stage(std::uint64_t seed, std::uint64_t number) {
    const std::uint64_t drawn = Random(seed ^ number / kCasesPerInstance << 32).next();
    const InstanceOptions options = draw_options(drawn);
    sides_.push_back(make_sim_side(options, drawn));
    for (const std::string_view name : {"io_uring", "epoll"}) {
      std::string why;
      auto side = make_kernel_side(name, options, why);
      if (side) {
        sides_.push_back(std::move(side));
      } else {
        missing_ = fmt::format("without {}: {}", name, why);
      }
    }
  }

  // Which backend this machine does not have, and why; empty if it has both.
  const std::string& missing() const { return missing_; }
  std::vector<Played> play(const std::vector<BackendCase>& cases) {
    std::vector<Played> played;
    for (const auto& side : sides_) played.push_back(play_on(*side, cases));
    return played;
  }
  std::string_view name_of(std::size_t side) const { return sides_[side]->name(); }

 private:
  static Played play_on(Side& side, const std::vector<BackendCase>& cases) {
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    std::vector<std::unique_ptr<Player>> players;
    for (const BackendCase& played : cases) {
      players.push_back(std::make_unique<Player>(played, [&] { return side.connect(); }));
    }
    const Causes before = side.causes();
    const auto are_done = [&] {
      std::size_t done = 0;
      for (const auto& player : players) done += player->advance() ? 1u : 0u;
      return done == players.size();
    };
    while (!are_done() && std::chrono::steady_clock::now() < deadline) side.turn();
    Played result;
    for (const auto& player : players) result.transcripts.push_back(player->transcript());
    players.clear();
    while (!side.is_empty() && std::chrono::steady_clock::now() < deadline) side.turn();
    result.is_left = !side.is_empty();
    result.causes = side.causes();
    for (std::size_t i = 0; i < before.size(); ++i) result.causes[i] -= before[i];
    return result;
  }

  std::vector<std::unique_ptr<Side>> sides_;
  std::string missing_;
};

class Run {
 public:
  Run(std::uint64_t seed, const std::function<void(std::uint64_t)>& begin)
      : seed_(seed), begin_(begin) {}

  std::uint64_t run(std::uint64_t first, std::uint64_t count) {
    const std::uint64_t end = first + count;
    for (std::uint64_t at = first; at < end && findings_ < kFindingsMax;) {
      Stage stage(seed_, at);
      if (at == first && !stage.missing().empty()) std::printf("%s\n", stage.missing().c_str());
      const std::uint64_t instance_end = (at / kCasesPerInstance + 1) * kCasesPerInstance;
      while (at < std::min(end, instance_end) && findings_ < kFindingsMax) {
        at = play_batch(stage, at, std::min(end, instance_end));
      }
    }
    return findings_;
  }

 private:
  // One case of a batch speaks to what all share: which, follows from its number.
  BackendCase case_of(std::uint64_t number) const {
    return draw_backend_case(seed_, number, number % kBatch == 0);
  }

  std::uint64_t play_batch(Stage& stage, std::uint64_t at, std::uint64_t end) {
    std::vector<BackendCase> cases;
    begin_(at);
    do {
      cases.push_back(case_of(at++));
    } while (at < end && at % kBatch != 0);
    const std::vector<Played> played = stage.play(cases);
    const std::uint64_t before = findings_;
    for (std::size_t side = 0; side < played.size(); ++side) {
      if (!played[side].is_left) continue;
      found(cases.front().number,
            fmt::format("{} keeps connections of this batch", stage.name_of(side)));
    }
    for (std::size_t side = 1; side < played.size(); ++side) {
      compare_transcripts(stage, cases, played, side);
    }
    for (std::size_t side = 1; side < played.size() && findings_ == before; ++side) {
      if (played[side].causes == played[0].causes) continue;
      find_cause(cases);
      break;
    }
    return at;
  }

  void compare_transcripts(const Stage& stage, const std::vector<BackendCase>& cases,
                           const std::vector<Played>& played, std::size_t side) {
    for (std::size_t i = 0; i < cases.size(); ++i) {
      const std::string& expected = played[0].transcripts[i];
      const std::string& got = played[side].transcripts[i];
      if (got == expected) continue;
      found(cases[i].number, fmt::format("{} and {} {}", stage.name_of(0), stage.name_of(side),
                                         shown_apart(expected, got)));
    }
  }

  // The batch's causes differ, so one of its cases ended for different reasons: which?
  void find_cause(const std::vector<BackendCase>& cases) {
    const std::uint64_t before = findings_;
    for (const BackendCase& suspect : cases) {
      Stage stage(seed_, suspect.number);
      const std::vector<Played> alone = stage.play({suspect});
      for (std::size_t side = 1; side < alone.size(); ++side) {
        if (alone[side].causes == alone[0].causes) continue;
        found(suspect.number, fmt::format("{} and {} count another cause or refusal",
                                          stage.name_of(0), stage.name_of(side)));
        break;
      }
    }
    if (findings_ == before) found(cases.front().number, "causes differ in the batch of this case");
  }

  void found(std::uint64_t number, const std::string& what) {
    ++findings_;
    std::printf("%llu %s\n", static_cast<unsigned long long>(number), what.c_str());
    std::fflush(stdout);
  }

  const std::uint64_t seed_;
  const std::function<void(std::uint64_t)>& begin_;
  std::uint64_t findings_ = 0;
};

}  // namespace

std::uint64_t run_backend_cases(std::uint64_t seed, std::uint64_t first, std::uint64_t count,
                                const std::function<void(std::uint64_t)>& begin) {
  return Run(seed, begin).run(first, count);
}

}  // namespace sluice::differential
