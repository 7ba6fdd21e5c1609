// runtime/float_env.h: the floating-point mode every executor needs, whatever the caller has set.
#pragma once

#include <cfenv>

#if defined(ROTE_X86)
#include <xmmintrin.h>
#endif

namespace rote {

/// Round to nearest with subnormals kept, for the life of the object; the caller's mode comes back after.
/// torch.set_flush_denormal(True) and similar settings must not change a single bit of a result.
class FloatEnvironment {
  public:
    FloatEnvironment() {
#if defined(ROTE_X86)
        saved_ = _mm_getcsr();
        _mm_setcsr(kAllMasked);
        asm volatile("" ::: "memory");  // no arithmetic on memory moves across the switch
#elif defined(__aarch64__)
        asm volatile("mrs %0, fpcr" : "=r"(saved_));
        asm volatile("msr fpcr, %0" ::"r"(saved_ & ~((uint64_t(3) << 22) | (uint64_t(1) << 24) | (uint64_t(1) << 19))));
#else
        std::fegetenv(&saved_);
        std::fesetround(FE_TONEAREST);
#endif
    }
    ~FloatEnvironment() {
#if defined(ROTE_X86)
        asm volatile("" ::: "memory");
        _mm_setcsr(saved_);
#elif defined(__aarch64__)
        asm volatile("msr fpcr, %0" ::"r"(saved_));
#else
        std::fesetenv(&saved_);
#endif
    }
    FloatEnvironment(const FloatEnvironment&) = delete;
    FloatEnvironment& operator=(const FloatEnvironment&) = delete;

  private:
#if defined(ROTE_X86)
    static constexpr unsigned kAllMasked = 0x1f80;  // exceptions masked, nearest, no FTZ, no DAZ
    unsigned saved_;
#elif defined(__aarch64__)
    unsigned long saved_;
#else
    std::fenv_t saved_;
#endif
};

}  // namespace rote
