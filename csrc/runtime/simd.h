// runtime/simd.h: which instruction set the CPU executors use, decided once at run time.
#pragma once

#include <string>
#include <vector>

namespace rote {

/// Ordered: a higher level includes the lower ones. `baseline` is what the compiler targets by default
/// (SSE2 on x86-64, NEON on aarch64).
enum class SimdLevel : int { baseline = 0, avx2 = 1, avx512 = 2 };

const char* simd_level_name(SimdLevel level);

/// Parses "baseline", "avx2" or "avx512"; ArgumentError for anything else.
SimdLevel parse_simd_level(const std::string& name);

/// The best level this CPU and operating system support.
SimdLevel detected_simd_level();

/// Whether the CPU also multiplies and adds 16-bit pairs in one AVX-512 instruction.
bool has_avx512_vnni();

/// The level in use: ROTE_SIMD if set (ArgumentError if unknown or unsupported here), else the detected one.
/// Read once per process.
SimdLevel simd_level();

/// Resolves a per-call request: "auto" is simd_level(); a level this CPU lacks is an ArgumentError.
SimdLevel resolve_simd_level(const std::string& request);

/// The levels compiled into this build.
std::vector<SimdLevel> compiled_simd_levels();

}  // namespace rote
