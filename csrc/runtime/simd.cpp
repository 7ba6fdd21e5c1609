// runtime/simd.cpp: detection of instruction sets and the ROTE_SIMD override.
#include "runtime/simd.h"

#include <cstdlib>

#include "rote/error.h"

namespace rote {

const char* simd_level_name(SimdLevel level) {
    switch (level) {
        case SimdLevel::baseline:
            return "baseline";
        case SimdLevel::avx2:
            return "avx2";
        case SimdLevel::avx512:
            return "avx512";
    }
    return "unknown";
}

SimdLevel parse_simd_level(const std::string& name) {
    for (SimdLevel level : {SimdLevel::baseline, SimdLevel::avx2, SimdLevel::avx512})
        if (name == simd_level_name(level)) return level;
    throw ArgumentError(concat("SIMD level: wanted baseline, avx2 or avx512, got '", name, "'"));
}

SimdLevel detected_simd_level() {
#if defined(ROTE_X86)
    // libgcc's check covers the CPU and whether the operating system saves the wide registers.
    __builtin_cpu_init();
    const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                      __builtin_cpu_supports("f16c") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
    const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
#if defined(ROTE_EMULATE_AVX512)
    if (avx2) return SimdLevel::avx512;  // a build of the C++ tests in which AVX2 executes the wider files
#endif
    if (avx512) return SimdLevel::avx512;
    if (avx2) return SimdLevel::avx2;
#endif
    return SimdLevel::baseline;
}

bool has_avx512_vnni() {
#if defined(ROTE_EMULATE_AVX512)
    return detected_simd_level() == SimdLevel::avx512;
#elif defined(ROTE_X86)
    return detected_simd_level() == SimdLevel::avx512 && __builtin_cpu_supports("avx512vnni");
#else
    return false;
#endif
}

namespace {

SimdLevel require_supported(SimdLevel wanted, const char* source) {
    ROTE_CHECK_ARG(wanted <= detected_simd_level(), source, ": this CPU supports up to ",
                   simd_level_name(detected_simd_level()), ", got ", simd_level_name(wanted));
    return wanted;
}

SimdLevel level_from_environment() {
    const char* name = std::getenv("ROTE_SIMD");
    if (!name || !*name || std::string(name) == "auto") return detected_simd_level();
    return require_supported(parse_simd_level(name), "ROTE_SIMD");
}

}  // namespace

SimdLevel simd_level() {
    static const SimdLevel level = level_from_environment();
    return level;
}

SimdLevel resolve_simd_level(const std::string& request) {
    if (request.empty() || request == "auto") return simd_level();
    return require_supported(parse_simd_level(request), "level");
}

std::vector<SimdLevel> compiled_simd_levels() {
#if defined(ROTE_X86)
    return {SimdLevel::baseline, SimdLevel::avx2, SimdLevel::avx512};
#else
    return {SimdLevel::baseline};
#endif
}

}  // namespace rote
