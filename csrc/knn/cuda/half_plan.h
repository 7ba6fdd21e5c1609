// knn/cuda/half_plan.h: the sizes of a search on CUDA, a pure function of the shapes (docs/knn-cuda.md, "Slices").
#pragma once

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <vector>

#include "knn/cuda/shapes.h"

namespace rote {

struct HalfPlan {
    int64_t dim, k, references;
    int64_t depth;                // dim, padded
    int64_t blocks;               // of references
    int64_t mixed_blocks;         // the first of them hold references in scattered order, the others sorted ones
    int64_t multiplier;           // row * multiplier mod references scatters rows
    int64_t stride;               // likewise for the sorted blocks
    int64_t frames;               // centres that sorted blocks choose from
    int64_t capacity;             // candidates of a query: room for all references of the first slice, and to sort
    int64_t chunk_rows;           // queries that are searched at a time, a multiple of kTileQueries
    std::vector<int64_t> slices;  // ends, in blocks; each but the first adds few candidates, see `growth`

    int64_t positions() const { return blocks * kBlockReferences; }
    int64_t mixed_rows() const { return std::min(mixed_blocks * kBlockReferences, references); }

    /// How many times the references seen so far a slice may add: a query then gets k times as many candidates on
    /// average, distributed like a sum of k exponentials, which exceeds k + 6 sqrt(k) + 16 times its unit once in a
    /// million.
    static int64_t growth(int64_t k, int64_t capacity) {
        int64_t root = 0;
        while (root * root < k) ++root;
        return std::max<int64_t>(2, (capacity - 2 * k) / (k + 6 * root + 16));
    }

    static HalfPlan of(int64_t queries, int64_t references, int64_t dim, int64_t k) {
        HalfPlan plan{};
        plan.dim = dim;
        plan.k = k;
        plan.references = references;
        plan.depth = (dim + kDepthStep - 1) / kDepthStep * kDepthStep;
        plan.blocks = (references + kBlockReferences - 1) / kBlockReferences;
        plan.frames = std::clamp<int64_t>(references / kReferencesPerFrame, 1, kMostFrames);
        plan.capacity = kLeastCapacity;
        while (plan.capacity < 8 * k) plan.capacity *= 2;

        const int64_t growth = HalfPlan::growth(k, plan.capacity);
        const int64_t first = std::min(plan.capacity / (2 * kBlockReferences), plan.blocks);
        plan.mixed_blocks = std::max(first, (plan.blocks + growth) / (growth + 1));
        for (int64_t end = first; end < plan.mixed_blocks; end *= growth + 1) plan.slices.push_back(end);
        plan.slices.push_back(plan.mixed_blocks);
        if (plan.mixed_blocks < plan.blocks) plan.slices.push_back(plan.blocks);

        plan.multiplier = coprime_near(references * 0.6180339887, references);
        const int64_t sorted = plan.blocks - plan.mixed_blocks;
        plan.stride = coprime_near(double(sorted) * 0.6180339887, sorted);

        const int64_t row_bytes = plan.capacity * 8 + plan.depth * 2 + plan.frames * 4 + 64;
        const int64_t tiles = std::clamp<int64_t>(kChunkBytes / row_bytes / kTileQueries, 1, kMostChunkTiles);
        plan.chunk_rows = std::min(tiles, (queries + kTileQueries - 1) / kTileQueries) * kTileQueries;
        return plan;
    }

  private:
    static int64_t coprime_near(double value, int64_t modulus) {
        int64_t candidate = std::max<int64_t>(1, int64_t(value));
        while (std::gcd(candidate, modulus) > 1) ++candidate;
        return candidate;
    }

    static constexpr int64_t kReferencesPerFrame = 512;
    static constexpr int64_t kLeastCapacity = 1024;
    static constexpr int64_t kChunkBytes = int64_t(768) << 20;
    static constexpr int64_t kMostChunkTiles = 512;
};

}  // namespace rote
