// Writer of the Prometheus text format, version 0.0.4, as /metrics serves it.
//
//   MetricsText text;
//   text.family("sluice_connections", MetricType::kGauge, "Open sessions.");
//   text.sample({{"dialect", "chat"}}, value);
//
// Invariants
//   1. A family is announced once, and its samples follow it before the next family: scrapers
//   refuse
//      anything else.
//   2. Label values come from closed lists; this writer escapes them but does not count them.
//
// Owned by the one that answers a scrape; one thread. Not a registry: it keeps no values.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>

namespace sluice {

enum class MetricType : std::uint8_t { kCounter, kGauge, kHistogram };

inline constexpr std::string_view kMetricsContentType = "text/plain; version=0.0.4; charset=utf-8";

class MetricsText {
 public:
  struct Label {
    std::string_view name;
    std::string_view value;
  };
  using Labels = std::initializer_list<Label>;

  // Opens a family. REQUIRES: a name not used before, [a-zA-Z_:][a-zA-Z0-9_:]*, which for a counter
  // ends in `_total`.
  void family(std::string_view name, MetricType type, std::string_view help);

  // One sample of the open family. REQUIRES: a family that is no histogram is open.
  void sample(Labels labels, std::uint64_t value);
  void sample(Labels labels, std::int64_t value);
  void sample(Labels labels, double value);
  template <class T>
  void sample(T value) {
    sample(Labels{}, value);
  }

  // One histogram of the open family. `counts` are the observations per bucket, not accumulated:
  // counts[i] are those at most bounds[i] and above the bound before; the last, one more than there
  // are bounds, are those above all of them. `sum` is the sum of everything observed.
  // REQUIRES: a histogram family is open; bounds ascend.
  void histogram(Labels labels, std::span<const double> bounds,
                 std::span<const std::uint64_t> counts, double sum);

  const std::string& text() const noexcept { return text_; }

 private:
  void line(std::string_view suffix, Labels labels, std::string_view bound, std::string_view value);

  std::string text_;
  std::string family_;
  MetricType type_ = MetricType::kGauge;
};

}  // namespace sluice
