// knn/cuda/frame.cu: the centre, the scale and the frames of a search, from a sample of the references. One block: the
// sample is small, and the host must not wait for it. Any choice gives right results (docs/knn-cuda.md).
#include "knn/cuda/certified.cuh"

namespace rote {
namespace {

constexpr int kSample = 128;
constexpr int kFrameThreads = 512;
constexpr int kFrameWarps = kFrameThreads / kWarpLanes;
constexpr double kOrdinary = 4;  // rows longer than this many medians do not move the centre

struct Sample {
    double norms[kSample];  // negative: not usable
    double factors[kSample];
    int64_t rows[kSample];
    int count;
};

// The middle one of the norms that are usable, 0 if there is none. Called by the whole block.
__device__ double median(const double* norms, int count, double* shared_result) {
    if (threadIdx.x == 0) *shared_result = 0;
    __syncthreads();
    const int own = int(threadIdx.x);
    if (own < count && norms[own] >= 0) {
        int usable = 0, before = 0;
        for (int s = 0; s < count; ++s) {
            usable += norms[s] >= 0;
            before += norms[s] >= 0 && (norms[s] < norms[own] || (norms[s] == norms[own] && s < own));
        }
        if (before == usable / 2) *shared_result = norms[own];
    }
    __syncthreads();
    const double result = *shared_result;
    __syncthreads();
    return result;
}

template <class T>
__device__ void read_sample(const KnnProblem& problem, Sample& sample) {
    const int lane = threadIdx.x % kWarpLanes, warp = threadIdx.x / kWarpLanes;
    const int64_t total = problem.references.rows, dim = problem.references.columns;
    for (int s = warp; s < sample.count; s += kFrameWarps) {
        const int64_t row = total * s / sample.count;
        const T* const values = problem.references.row<T>(row);
        double squares = 0;
        for (int64_t i = lane; i < dim; i += kWarpLanes) squares += to_double(values[i]) * to_double(values[i]);
        squares = warp_sum(squares);
        bool usable = is_finite(squares) && !(problem.mask && !problem.mask[row]);
        double factor = 1, norm = sqrt(squares);
        if (problem.metric == KnnMetric::cosine) {
            bool safe = true;
            factor = unit_factor(squares, safe);
            usable = usable && safe;
            norm = squares > 0 ? 1 : 0;
        }
        if (lane == 0) {
            sample.norms[s] = usable ? norm : -1;
            sample.factors[s] = factor;
            sample.rows[s] = row;
        }
    }
    __syncthreads();
}

// Distances of the sample from a centre in units of `scale`, or the smaller of them and what stands in `norms` already.
template <class T, class Centre>
__device__ void measure_sample(const KnnProblem& problem, const Sample& sample, const double* centre, double scale,
                               const Centre& offset, bool nearest, double* norms) {
    const int lane = threadIdx.x % kWarpLanes, warp = threadIdx.x / kWarpLanes;
    const int64_t dim = problem.references.columns;
    for (int s = warp; s < sample.count; s += kFrameWarps) {
        double squares = 0;
        const bool usable = norms[s] >= 0;
        if (usable) {
            const T* const values = problem.references.row<T>(sample.rows[s]);
            for (int64_t i = lane; i < dim; i += kWarpLanes) {
                const double value = placed(to_double(values[i]), sample.factors[s], centre[i], scale) - offset(i);
                squares += value * value;
            }
        }
        const double norm = sqrt(warp_sum(squares));
        if (lane == 0 && usable) norms[s] = !is_finite(norm) ? -1 : nearest && norms[s] < norm ? norms[s] : norm;
    }
    __syncthreads();
}

template <class T>
__device__ void choose_centre(const KnnProblem& problem, const Sample& sample, double ordinary, double* centre) {
    for (int64_t i = threadIdx.x; i < problem.references.columns; i += kFrameThreads) {
        double sum = 0;
        int count = 0;
        for (int s = 0; s < sample.count; ++s) {
            if (sample.norms[s] < 0 || sample.norms[s] > ordinary) continue;
            sum += to_double(problem.references.row<T>(sample.rows[s])[i]) * sample.factors[s];
            ++count;
        }
        const double mean = count ? sum / count : 0;
        const double rounded = double(float(mean));
        centre[i] = is_finite(rounded) ? rounded : mean;
    }
    __syncthreads();
}

template <class T>
__global__ void __launch_bounds__(kFrameThreads, 1)
    choose_frame_kernel(const KnnProblem problem, const HalfSearch search) {
    __shared__ Sample sample;
    __shared__ double distances[kSample];
    __shared__ double shared_value;
    __shared__ int chosen;
    const int64_t dim = problem.references.columns;
    const int lane = threadIdx.x % kWarpLanes, warp = threadIdx.x / kWarpLanes;
    if (threadIdx.x == 0) sample.count = problem.references.rows < kSample ? int(problem.references.rows) : kSample;
    __syncthreads();
    read_sample<T>(problem, sample);
    choose_centre<T>(problem, sample, kOrdinary * median(sample.norms, sample.count, &shared_value), search.centre);

    const auto nothing = [](int64_t) { return 0.0; };
    for (int s = threadIdx.x; s < sample.count; s += kFrameThreads) distances[s] = sample.norms[s];
    __syncthreads();
    measure_sample<T>(problem, sample, search.centre, 1, nothing, false, distances);
    double middle = median(distances, sample.count, &shared_value);
    if (!(middle > 0))
        for (int s = 0; s < sample.count; ++s) middle = distances[s] > middle ? distances[s] : middle;
    const double scale =
        unit_scale(middle, problem.metric == KnnMetric::cosine ? kLargestUnitPlacing : kLargestPlacing);
    if (warp == 0) {
        double squares = 0;
        for (int64_t i = lane; i < dim; i += kWarpLanes) squares += search.centre[i] * search.centre[i];
        squares = warp_sum(squares);
        if (lane == 0) *search.placing = {scale, sqrt(squares) * scale * kNormUp};
    }

    // Frame 0 is the centre itself; each further frame is the sampled row farthest from all before it.
    __syncthreads();
    for (int s = threadIdx.x; s < sample.count; s += kFrameThreads) {
        const double distance = distances[s] * scale;
        distances[s] = distance <= kLargestPlaced / 2 ? distance : -1;
    }
    for (int frame = 0; frame < search.frame_count; ++frame) {
        float* const own = search.frames + int64_t(frame) * dim;
        if (threadIdx.x == 0) {
            chosen = -1;
            double farthest = 0;
            for (int s = 0; frame > 0 && s < sample.count; ++s) {
                if (distances[s] > farthest) {
                    farthest = distances[s];
                    chosen = s;
                }
            }
        }
        __syncthreads();
        for (int64_t i = threadIdx.x; i < dim; i += kFrameThreads) {
            own[i] = chosen < 0 ? 0.0f
                                : float(placed(to_double(problem.references.row<T>(sample.rows[chosen])[i]),
                                               sample.factors[chosen], search.centre[i], scale));
        }
        __syncthreads();
        if (warp == 0) {
            double squares = 0;
            for (int64_t i = lane; i < dim; i += kWarpLanes) squares += double(own[i]) * double(own[i]);
            squares = warp_sum(squares);
            if (lane == 0) search.frame_norms[frame] = float_above(sqrt(squares) * kNormUp);
        }
        const auto centre_of_frame = [own](int64_t i) { return double(own[i]); };
        if (chosen >= 0) measure_sample<T>(problem, sample, search.centre, scale, centre_of_frame, true, distances);
        __syncthreads();  // `chosen` is read by all
    }
}

}  // namespace

void launch_choose_frame(const KnnProblem& problem, const HalfSearch& search, cudaStream_t stream) {
    visit_float_dtype(problem.references.dtype, [&](auto element) {
        launch(choose_frame_kernel<decltype(element)>, 1, kFrameThreads, 0, stream, problem, search);
    });
}

}  // namespace rote
