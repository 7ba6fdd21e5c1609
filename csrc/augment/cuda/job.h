// augment/cuda/job.h: what a render kernel is asked for. Plain data: travels to the device by value.
#pragma once

#include <cstdint>

#include "rote/address.h"
#include "rote/augment.h"

namespace rote {

struct DeviceJob {
    AugmentPlan plan;
    ImageView<const uint8_t> images;
    AugmentBatch batch;
    AugmentOutput output;
};

/// Whether a row can be drawn for this view of the batch.
ROTE_HD bool address_is_good(const AugmentBatch& batch, int64_t view) {
    const int64_t id = batch.address_id(view);
    if (id < 0 || uint64_t(id) >= kMaxImages) return false;
    return !batch.views || (batch.views[view] >= 0 && uint64_t(batch.views[view]) < kMaxViews);
}

/// Whether a view can be rendered: nothing else is ever dereferenced.
ROTE_HD bool view_is_good(const DeviceJob& job, int64_t view) {
    const int64_t id = job.batch.ids[view];
    return id >= 0 && id < job.images.count && address_is_good(job.batch, view);
}

}  // namespace rote
