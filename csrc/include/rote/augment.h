// rote/augment.h: the augmentation engine. A view is a pure function of (seed, image, view).
//
// A program is a recipe bound to image sizes. Each operation draws its parameters into a few 4-byte words (int32 or
// float32); the words of all operations, in recipe order, are the view's parameter row, and a row renders the view
// again. docs/augment-semantics.md gives formulas, fields and slots.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "rote/dtype.h"
#include "rote/tensor.h"

namespace rote {

/// Codes are part of the address layout (stream = 16 * code + occurrence) and never change.
enum class AugmentKind : int32_t {
    random_resized_crop = 1,
    random_crop = 2,
    horizontal_flip = 3,
    random_affine = 4,
    color_jitter = 5,
    grayscale = 6,
    normalize = 7,
    vertical_flip = 8,
    alternating_flip = 9,
    resize = 10,
    center_crop = 11,
    random_rotation = 12,
    gaussian_blur = 13,
    solarize = 14,
    posterize = 15,
    invert = 16,
    sharpness = 17,
    auto_contrast = 18,
    equalize = 19,
    rand_augment = 20,
    random_erasing = 21,
    cutout = 22,
    gaussian_noise = 23,
    mixup = 24,
    cutmix = 25,
};

const char* augment_kind_name(AugmentKind kind);

/// One operation of a recipe as the caller writes it; docs/augment-semantics.md lists the constants of each kind.
struct AugmentOp {
    int32_t kind = 0;
    int32_t occurrence = 0;  ///< 0 for the first of its kind in the recipe, at most 15
    std::vector<double> constants;
};

constexpr int kMaxAugmentSteps = 16;
constexpr int kMaxAugmentConstants = 14;
constexpr int kMaxAugmentRowWords = 512;
constexpr int kMaxImageExtent = 16384;

/// An operation with its sizes resolved. Plain data: travels to the device by value.
struct AugmentStep {
    AugmentKind kind;
    uint32_t stream;
    int32_t row_offset;  ///< of its own fields; those of a mixing operation's partner follow them
    int32_t row_words;   ///< of its own fields
    int32_t in_height, in_width, out_height, out_width;
    double constants[kMaxAugmentConstants];
};

struct AugmentPlan {
    int32_t num_steps, row_words, channels;
    int32_t in_height, in_width, out_height, out_width;
    AugmentStep steps[kMaxAugmentSteps];
};

struct ResizeTables;

/// A validated recipe for banks of [*, channels, in_height, in_width] images. Immutable; share it between threads.
class AugmentProgram {
  public:
    /// Throws ArgumentError on anything that cannot be rendered.
    AugmentProgram(const std::vector<AugmentOp>& ops, int64_t channels, int64_t in_height, int64_t in_width,
                   int64_t out_height, int64_t out_width);
    ~AugmentProgram();

    const AugmentPlan& plan() const { return plan_; }
    const ResizeTables& resize_tables() const { return *tables_; }
    int32_t row_words() const { return plan_.row_words; }

    /// Device memory a CUDA render of `batch` views on that path needs besides its output; a pure function of the
    /// shapes.
    int64_t workspace_bytes(int64_t batch, bool device_is_cuda, const std::string& path = "auto") const;

  private:
    AugmentPlan plan_;
    std::unique_ptr<ResizeTables> tables_;
};

/// Which views: rows are given to replay, or drawn from (seed, ids, views) when `rows` is null.
struct AugmentBatch {
    const int64_t* ids = nullptr;          ///< [count] image index into the bank
    const int64_t* address_ids = nullptr;  ///< [count] the image ids of the addresses; null: ids
    const int64_t* views = nullptr;        ///< [count]; may be null when rows are given
    const int32_t* rows = nullptr;         ///< [count, row_words]
    int64_t count = 0;
    uint64_t seed = 0;

    ROTE_HD int64_t address_id(int64_t i) const { return address_ids ? address_ids[i] : ids[i]; }
};

/// [count, channels, out_height, out_width] in logical order, strides in elements.
struct AugmentOutput {
    void* data = nullptr;
    DType dtype = DType::float32;
    int64_t strides[4] = {0, 0, 0, 0};
};

/// Draws the parameter rows of a batch, [count, row_words].
void augment_sample(const AugmentProgram& program, const AugmentBatch& batch, int32_t* rows, int num_threads);

/// The executor that augment_render would run for a level: "scalar", "baseline", "avx2" or "avx512".
std::string augment_executor(const std::string& level);

/// Renders a batch on the CPU. level: "auto", "scalar" (the oracle), "baseline", "avx2" or "avx512".
void augment_render(const AugmentProgram& program, const ImageView<const uint8_t>& images, const AugmentBatch& batch,
                    const AugmentOutput& output, int num_threads, const std::string& level);

/// One of several batches of a call: a bank, addresses and a seed of its own, and where it goes.
struct AugmentJob {
    ImageView<const uint8_t> images;
    AugmentBatch batch;
    AugmentOutput output;
};

/// Renders `count` batches under one program in one use of the threads: the same pixels as by `count` calls.
void augment_render_batches(const AugmentProgram& program, const AugmentJob* jobs, int64_t count, int num_threads,
                            const std::string& level);

/// One batch on a CUDA device, which is made current for the call. Pointers are device pointers; nothing is allocated
/// or synchronized. Ids and views out of range are never dereferenced: such a view is filled with NaN (its row with
/// -1). path: "simple", "fast" or "auto" (docs/augment-cuda.md).
void augment_sample_cuda(const AugmentProgram& program, const AugmentBatch& batch, int32_t* rows, void* stream,
                         int device);
void augment_render_cuda(const AugmentProgram& program, const ImageView<const uint8_t>& images,
                         const AugmentBatch& batch, const AugmentOutput& output, void* workspace, void* stream,
                         int device, const std::string& path = "auto");

}  // namespace rote
