// The epilogue of the Hopper pass with threads for lanes: exactly the pairs whose score reaches the limit of their row
// leave it, once each, with their row, position and score; from no hit at all to every score a hit.
#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <map>
#include <mutex>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "check.h"
#include "knn/hopper_filter.h"

using namespace rote;
using namespace rote::hopper;

namespace {

// Lets 32 threads exchange a word: everybody deposits, everybody reads all.
class Exchange {
  public:
    std::vector<uint32_t> collect(int lane, uint32_t value) {
        std::unique_lock<std::mutex> lock(mutex_);
        const int round = round_;
        deposits_[size_t(lane)] = value;
        if (++arrived_ == kWarpThreads) {
            arrived_ = 0;
            results_ = deposits_;
            ++round_;
            all_.notify_all();
        } else {
            all_.wait(lock, [&] { return round_ != round; });
        }
        return results_;  // the next round cannot end before this thread has entered it
    }

  private:
    std::mutex mutex_;
    std::condition_variable all_;
    std::vector<uint32_t> deposits_ = std::vector<uint32_t>(kWarpThreads), results_ = deposits_;
    int arrived_ = 0, round_ = 0;
};

struct ThreadWarp {
    Exchange* exchange;
    int lane_number;

    int lane() const { return lane_number; }
    bool any(bool value) const { return any_bits(value) != 0; }
    uint32_t any_bits(uint32_t bits) const {
        uint32_t all = 0;
        for (const uint32_t each : exchange->collect(lane_number, bits)) all |= each;
        return all;
    }
    uint32_t ballot(bool value) const {
        uint32_t votes = 0;
        const std::vector<uint32_t> values = exchange->collect(lane_number, value);
        for (int lane = 0; lane < kWarpThreads; ++lane) votes |= values[size_t(lane)] << lane;
        return votes;
    }
    void sync() const { exchange->collect(lane_number, 0); }
};

using Hits = std::map<std::pair<int, int>, float>;

struct MapSink {
    std::mutex* mutex;
    Hits* hits;

    void offer(int32_t row, int32_t position, float score) const {
        std::unique_lock<std::mutex> lock(*mutex);
        CHECK(hits->emplace(std::make_pair(row, position), score).second, "(%d, %d) twice", row, position);
    }
};

struct Tile {
    std::vector<float> products = std::vector<float>(size_t(kQueryRows) * kMmaColumns);
    std::vector<float> biases = std::vector<float>(kMmaColumns), limits = std::vector<float>(kQueryRows),
                       scales = std::vector<float>(kQueryRows);
};

constexpr int kFirstRow = 3 * kQueryRows, kFirstPosition = 5 * kMmaColumns;

// Several tiles one after another through the queues of the four warps of a group.
Hits filter(const std::vector<Tile>& tiles) {
    Hits hits;
    std::mutex mutex;
    for (int warp = 0; warp < kGroupWarps; ++warp) {
        Exchange exchange;
        std::vector<int32_t> storage(kQueueBytes / 4 + 1, -7);  // one more, to see an overflow
        std::vector<std::thread> lanes;
        for (int lane = 0; lane < kWarpThreads; ++lane)
            lanes.emplace_back([&, lane] {
                const int thread = warp * kWarpThreads + lane;
                HitQueue<ThreadWarp, MapSink> queue({&exchange, lane}, {&mutex, &hits}, storage.data());
                for (size_t number = 0; number < tiles.size(); ++number) {
                    const Tile& tile = tiles[number];
                    float accumulators[kRowTiles][kAccumulators], scales[kRowTiles][2];
                    for (int part = 0; part < kRowTiles; ++part)
                        for (int i = 0; i < kAccumulators; ++i) {
                            const ResultPlace place = accumulator_place(thread, i);
                            const int row = part * kMmaRows + place.row;
                            accumulators[part][i] = tile.products[size_t(row * kMmaColumns + place.column)];
                            scales[part][i / 2 % 2] = tile.scales[size_t(row)];
                        }
                    filter_scores(thread, accumulators, tile.biases.data(), tile.limits.data(), scales,
                                  kFirstRow + int(number) * kQueryRows, kFirstPosition, queue);
                }
                queue.flush();
            });
        for (std::thread& lane : lanes) lane.join();
        CHECK(storage.back() == -7, "the queue overflows");
    }
    return hits;
}

void hits_are_the_scores_at_their_limits(double share, int tile_count, uint32_t seed) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    std::uniform_real_distribution<double> uniform;
    std::vector<Tile> tiles(static_cast<size_t>(tile_count));
    Hits expected;
    for (size_t number = 0; number < tiles.size(); ++number) {
        Tile& tile = tiles[number];
        for (float& product : tile.products) product = normal(random);
        for (float& bias : tile.biases) bias = normal(random);
        tile.biases[17] = -INFINITY;  // no reference there
        for (float& scale : tile.scales) scale = std::ldexp(1.0f, int(random() % 5) - 2);
        for (int row = 0; row < kQueryRows; ++row) {
            std::vector<float> scores(kMmaColumns);
            for (int column = 0; column < kMmaColumns; ++column)
                scores[size_t(column)] = packed_score(tile.products[size_t(row * kMmaColumns + column)],
                                                      tile.biases[size_t(column)], tile.scales[size_t(row)]);
            float& limit = tile.limits[size_t(row)];
            // A limit that is one of the scores, and now and then a row that is open or wants nothing.
            std::vector<float> sorted = scores;
            std::sort(sorted.begin(), sorted.end());
            const size_t rank = size_t((1 - share) * kMmaColumns + uniform(random));
            limit = rank < sorted.size() ? sorted[rank] : INFINITY;
            if (share > 0 && row % 61 == 5) limit = -FLT_MAX;
            if (row % 50 == 3) limit = INFINITY;
            if (limit == -INFINITY) limit = -FLT_MAX;
            for (int column = 0; column < kMmaColumns; ++column)
                if (scores[size_t(column)] >= limit)
                    expected[{kFirstRow + int(number) * kQueryRows + row, kFirstPosition + column}] =
                        scores[size_t(column)];
        }
    }
    const Hits hits = filter(tiles);
    CHECK(hits.size() == expected.size(), "%d hits, wanted %d, share %g", int(hits.size()), int(expected.size()),
          share);
    for (const auto& hit : expected) {
        const auto found = hits.find(hit.first);
        CHECK(found != hits.end(), "row %d, position %d is missing", hit.first.first, hit.first.second);
        CHECK(std::memcmp(&found->second, &hit.second, 4) == 0, "score %.9g, wanted %.9g", found->second, hit.second);
    }
}

}  // namespace

int main() {
    hits_are_the_scores_at_their_limits(0, 2, 1);
    hits_are_the_scores_at_their_limits(0.002, 3, 2);
    hits_are_the_scores_at_their_limits(0.03, 2, 3);
    hits_are_the_scores_at_their_limits(1, 1, 4);
    return 0;
}
