// The command line as settings. CLI11 takes the arguments apart; what they mean is the table's
// business.
#pragma once

#include <string>

#include "gateway/config/setting.h"

namespace sluice {

// In the table's order, whatever the order of the arguments. The error is one line without a
// prefix.
Result<Settings, std::string> read_command_line(int argc, const char* const* argv);

}  // namespace sluice
