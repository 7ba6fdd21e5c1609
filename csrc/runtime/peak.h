// runtime/peak.h: what this machine can do at best, measured. Benchmarks quote kernels as a share of it.
#pragma once

#include <string>
#include <vector>

#include "runtime/simd.h"

namespace rote {

/// The kinds this CPU and this build have at `level`:
///   "fma"      float32 multiply-adds (fused from avx2 on, a multiply and an add in the baseline); 2 operations each
///   "madd"     pairs of vpmaddwd and vpaddd, 16-bit products summed in int32 (avx2, avx512); 2 operations per product
///   "dpwssd"   vpdpwssd, the same in one instruction (avx512 with VNNI); 2 operations per product
///   "dpbf16"   vdpbf16ps, bfloat16 products summed in float32 (avx512 with BF16); 2 operations per product
///   "read"     bytes read from memory, far beyond the caches
std::vector<std::string> peak_kinds(SimdLevel level);

/// Operations per second ("read": bytes per second) of `num_threads` threads together, the best of windows of about a
/// millisecond, so that a neighbour on a shared machine costs windows and not the result. Takes 0.1 s; "read" half a
/// second and 256 MiB. The arithmetic stays in registers and has enough independent sums to hide every latency.
/// ArgumentError for a kind that is not in peak_kinds(level) or num_threads < 1.
double measure_peak(const std::string& kind, int num_threads, SimdLevel level);

}  // namespace rote
