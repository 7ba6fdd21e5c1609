// augment/cpu/executor_avx2.cpp: the vector executor for AVX2.

#if defined(ROTE_X86)

#define ROTE_LEVEL avx2
#include "augment/cpu/body.h"

namespace rote {

void render_views_avx2(const RenderJob& job, int64_t begin, int64_t end, const int32_t* rows, char* scratch) {
    render_views_on_vectors(job, begin, end, rows, scratch);
}

}  // namespace rote

#endif
