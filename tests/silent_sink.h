// A log that nobody reads.
#pragma once

#include "core/base/log.h"

namespace sluice::test {

struct SilentSink final : LogSink {
  void write(std::string_view) noexcept override {}
};

}  // namespace sluice::test
