// What --help prints, made from the table of options.
#pragma once

#include <string>

namespace sluice {

// Every option with its form, its default and its sense, under its group; then units, the other two
// ways to set an option, and examples. Lines have at most 80 columns.
std::string help_text();

std::string version_text();  // "sluice 0.1.0\n"

}  // namespace sluice
