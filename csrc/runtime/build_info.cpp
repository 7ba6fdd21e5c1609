// runtime/build_info.cpp: what this build contains.
#include "runtime/build_info.h"

#include "rote/error.h"

#if defined(ROTE_HAVE_CUDA)
#include <cuda_runtime_api.h>
#endif

namespace rote {

BuildInfo build_info() {
    BuildInfo info;
    info.version = ROTE_VERSION;
#if defined(__clang__)
    info.compiler = concat("clang ", __clang_version__);
#elif defined(__GNUC__)
    info.compiler = concat("gcc ", __VERSION__);
#endif
#if defined(ROTE_HAVE_CUDA)
    info.cuda = true;
    info.cuda_version = concat(CUDART_VERSION / 1000, ".", CUDART_VERSION % 1000 / 10);
#else
    info.cuda = false;
#endif
    return info;
}

}  // namespace rote
