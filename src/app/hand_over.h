// From this program to the one beside it that links LibTorch.
#pragma once

namespace roundtrip::app {

// Becomes `roundtrip-networks`, in the folder that this program's file lies in, with the same arguments: one process,
// so that signals, streams and the exit code are its own. Throws kInput where it cannot be started.
[[noreturn]] void hand_over(char** arguments);

}  // namespace roundtrip::app
