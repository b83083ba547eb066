// What the process does with memory that is freed.
//
// A network frees and asks for the same large tensors in every layer. glibc maps each of over 32 MiB anew and the
// kernel zeroes it page by page: a sixth of a gradient's time at Stable Diffusion's size. Kept, it is found again; the
// price is a peak about a tenth higher. Elsewhere than on glibc both do nothing.
#pragma once

namespace roundtrip {

// From here on freed memory stays with the process. Call it before the first large allocation.
void keep_freed_memory();

// Gives back what is kept and free at this moment.
void return_freed_memory();

}  // namespace roundtrip
