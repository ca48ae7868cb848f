// Child processes in which the kernel answers as it does in a sandbox.
#pragma once

#include <functional>
#include <string>

namespace sluice::test {

// Runs `say` in a child process and returns what it said. The child ends without destructors or
// reports of its own, so `say` tells everything that counts.
std::string said_by_child(const std::function<std::string()>& say);

// From now on the system calls `first` to `last` of this process answer with that errno. False: the
// kernel does not let us.
bool filter_calls(int error, unsigned first, unsigned last);

}  // namespace sluice::test
