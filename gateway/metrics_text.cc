#include "gateway/metrics_text.h"

#include <array>
#include <charconv>
#include <cmath>

#include "core/base/check.h"

namespace sluice {
namespace {

template <class Number>
std::string number_text(Number number) {
  std::array<char, 32> digits;
  const auto done = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  return {digits.data(), done.ptr};
}

std::string number_text(double number) {
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return number > 0 ? "+Inf" : "-Inf";
  return number_text<double>(number);
}

void append_escaped(std::string& out, std::string_view text, bool is_label) {
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\\') {
      out += "\\\\";
    } else if (c == '"' && is_label) {
      out += "\\\"";
    } else {
      out += c;
    }
  }
}

std::string_view type_name(MetricType type) noexcept {
  switch (type) {
    case MetricType::kCounter:
      return "counter";
    case MetricType::kGauge:
      return "gauge";
    case MetricType::kHistogram:
      break;
  }
  return "histogram";
}

}  // namespace

void MetricsText::family(std::string_view name, MetricType type, std::string_view help) {
  SLUICE_CHECK(!name.empty());
  SLUICE_CHECK(type != MetricType::kCounter || name.ends_with("_total"));
  family_ = name;
  type_ = type;
  text_ += "# HELP ";
  text_ += name;
  text_ += ' ';
  append_escaped(text_, help, false);
  text_ += "\n# TYPE ";
  text_ += name;
  text_ += ' ';
  text_ += type_name(type);
  text_ += '\n';
}

void MetricsText::sample(Labels labels, std::uint64_t value) {
  SLUICE_CHECK(type_ != MetricType::kHistogram);
  line("", labels, "", number_text(value));
}

void MetricsText::sample(Labels labels, std::int64_t value) {
  SLUICE_CHECK(type_ != MetricType::kHistogram);
  line("", labels, "", number_text(value));
}

void MetricsText::sample(Labels labels, double value) {
  SLUICE_CHECK(type_ != MetricType::kHistogram);
  line("", labels, "", number_text(value));
}

void MetricsText::histogram(Labels labels, std::span<const double> bounds,
                            std::span<const std::uint64_t> counts, double sum) {
  SLUICE_CHECK(type_ == MetricType::kHistogram);
  SLUICE_CHECK(counts.size() == bounds.size() + 1);
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    total += counts[i];
    const std::string bound = i < bounds.size() ? number_text(bounds[i]) : "+Inf";
    line("_bucket", labels, bound, number_text(total));
  }
  line("_sum", labels, "", number_text(sum));
  line("_count", labels, "", number_text(total));
}

void MetricsText::line(std::string_view suffix, Labels labels, std::string_view bound,
                       std::string_view value) {
  SLUICE_CHECK(!family_.empty());
  text_ += family_;
  text_ += suffix;
  char opening = '{';
  const auto append = [&](std::string_view name, std::string_view label) {
    text_ += opening;
    opening = ',';
    text_ += name;
    text_ += "=\"";
    append_escaped(text_, label, true);
    text_ += '"';
  };
  for (const Label& label : labels) append(label.name, label.value);
  if (!bound.empty()) append("le", bound);
  if (opening == ',') text_ += '}';
  text_ += ' ';
  text_ += value;
  text_ += '\n';
}

}  // namespace sluice
