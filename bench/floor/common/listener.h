// What both bare loops need from the operating system before their loop starts.
#pragma once

#include "bench/floor/common/options.h"

namespace sluice::bare {

// Pins the process (--cpu), raises the descriptor limit to its hard limit, opens the listening
// socket with TCP_NODELAY set (accepted sockets inherit it) and announces the port on stdout.
// Returns the descriptor, or -1 after one line on stderr.
int start_listening(const Options& options);

// Parses the command line, starts listening and runs `loop(listener, mode)`; `loop` returns only
// when it cannot go on. The value is the process's exit code: 0 help, 1 failure, 2 usage.
int run_program(int argc, char** argv, int (*loop)(int listener, Mode mode));

}  // namespace sluice::bare
