// Whether io_uring does, on this machine and now, what UringBackend needs of it.
//
// Found out by doing it, not by version: distributions move features between kernels, and sandboxes
// refuse with whatever errno they like.
#pragma once

#include <optional>

#include "core/uring/uring_error.h"

namespace sluice {

// Sets up a small ring, receives, sends, falls short and cancels over a socket pair, and takes it
// all down again. Any thread; takes well under a millisecond. Empty if all went well.
std::optional<UringError> probe_uring();

}  // namespace sluice
