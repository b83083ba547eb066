// Hands over from this program to the one beside it that links LibTorch.
#pragma once

namespace roundtrip::app {

// Replaces this process by `roundtrip-networks` from the same folder, with the same arguments. One process keeps
// signals, streams and the exit code. Throws kInput if it cannot be started.
[[noreturn]] void hand_over(char** arguments);

}  // namespace roundtrip::app
