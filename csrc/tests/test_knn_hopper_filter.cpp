// The epilogue of the Hopper pass with threads for lanes: exactly the admitted pairs whose score reaches the limit of
// their row leave it, once each, with their row, position and score, at places of their row taken once; from no hit at
// all to every score a hit.
#include <algorithm>
#include <cfloat>
#include <cmath>
#include <condition_variable>
#include <cstring>
#include <map>
#include <mutex>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "check.h"
#include "knn/cuda/hopper_filter.h"

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
    int from(int value, int lane) const { return int(exchange->collect(lane_number, uint32_t(value))[size_t(lane)]); }
    void sync() const { exchange->collect(lane_number, 0); }
};

using Pair = std::pair<int, int>;  // row and position

struct Hit {
    int place;
    float score;
};

int reference_at(int position) {
    return 7 * position + 1;
}

bool is_excluded(int row, int reference) {
    return (row * 31 + reference) % 97 == 0;
}

// Rows' buffers, with room for everything.
struct Candidates {
    std::mutex mutex;
    std::map<Pair, Hit> hits;
    std::map<int, int> counts;
};

struct MapSink {
    Candidates* candidates;

    bool restricted() const { return true; }
    int reference(int position) const { return reference_at(position); }
    bool admits(int row, int reference) const { return !is_excluded(row, reference); }
    int reserve(int row, int count) const {
        std::unique_lock<std::mutex> lock(candidates->mutex);
        int& filled = candidates->counts[row];
        filled += count;
        return filled - count;
    }
    void store(int row, int place, int position, float score) const {
        std::unique_lock<std::mutex> lock(candidates->mutex);
        CHECK(candidates->hits.emplace(Pair{row, position}, Hit{place, score}).second, "(%d, %d) twice", row, position);
    }
};

// One query tile and one block of references.
struct Tile {
    std::vector<float> products = std::vector<float>(size_t(kQueryRows) * kBlockColumns);
    std::vector<float> biases = std::vector<float>(kBlockColumns), limits = std::vector<float>(kQueryRows);

    float product(int row, int column) const { return products[size_t(row * kBlockColumns + column)]; }
    float score(int row, int column, float scale) const {
        return packed_score(product(row, column), biases[size_t(column)], scale);
    }
};

constexpr int kFirstRow = 3 * kQueryRows, kFirstBlock = 5;

// Blocks one after another through the queues of the eight warps, as knn/cuda/hopper_roles.cuh does it.
template <bool kStationary>
void filter(const std::vector<Tile>& tiles, const std::vector<float>& row_scales, Candidates& candidates) {
    using Shape = GroupFragment<kStationary>;
    for (int warp = 0; warp < kConsumerWarps; ++warp) {
        const int group = warp / kGroupWarps, row = group_row(kStationary, group),
                  column = group_column(kStationary, group);
        Exchange exchange;
        std::vector<uint32_t> storage(kQueueBytes / 4 + 1, 7);  // one more, to see an overflow
        std::vector<std::thread> lanes;
        for (int lane = 0; lane < kWarpThreads; ++lane)
            lanes.emplace_back([&, lane] {
                const int thread = warp % kGroupWarps * kWarpThreads + lane;
                HitQueue<ThreadWarp, MapSink> queue({&exchange, lane}, {&candidates}, storage.data());
                queue.start_item(kFirstRow, kFirstBlock * kBlockColumns);
                for (size_t block = 0; block < tiles.size(); ++block) {
                    const Tile& tile = tiles[block];
                    typename Shape::Sums sums;
                    float scales[Shape::kRowSlots];
                    for (int part = 0; part < Shape::kRowTiles; ++part)
                        for (int i = 0; i < Shape::kSums; ++i) {
                            const ResultPlace place = accumulator_place(thread, i);
                            const int own_row = row + part * kMmaRows + place.row;
                            sums[part][i] = tile.product(own_row, column + place.column);
                            scales[part * 2 + i / 2 % 2] = row_scales[size_t(own_row)];
                        }
                    filter_scores<Shape>(thread, sums, tile.biases.data() + column, tile.limits.data() + row, scales,
                                         row, int(block) * kBlockColumns + column, queue);
                }
                queue.flush();
            });
        for (std::thread& lane : lanes) lane.join();
        CHECK(storage.back() == 7, "the queue overflows");
    }
}

// `share` of each row's scores are hits; some rows are open, some want nothing.
template <bool kStationary>
void hits_are_the_scores_at_their_limits(double share, int blocks, uint32_t seed) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    std::uniform_real_distribution<double> uniform;
    std::vector<float> row_scales(kQueryRows);
    for (float& scale : row_scales) scale = std::ldexp(1.0f, int(random() % 5) - 2);
    std::vector<Tile> tiles(static_cast<size_t>(blocks));
    std::map<Pair, float> expected;
    for (int block = 0; block < blocks; ++block) {
        Tile& tile = tiles[size_t(block)];
        for (float& product : tile.products) product = normal(random);
        for (float& bias : tile.biases) bias = normal(random);
        tile.biases[17] = -INFINITY;  // no reference there
        for (int row = 0; row < kQueryRows; ++row) {
            std::vector<float> scores;
            for (int column = 0; column < kBlockColumns; ++column)
                scores.push_back(tile.score(row, column, row_scales[size_t(row)]));
            std::vector<float> sorted = scores;
            std::sort(sorted.begin(), sorted.end());
            const size_t rank = size_t((1 - share) * kBlockColumns + uniform(random));
            float limit = rank < sorted.size() ? sorted[rank] : INFINITY;  // reached exactly by one of them
            if (share > 0 && row % 61 == 5) limit = -FLT_MAX;
            if (row % 50 == 3) limit = INFINITY;
            tile.limits[size_t(row)] = limit = std::max(limit, -FLT_MAX);
            for (int column = 0; column < kBlockColumns; ++column) {
                const Pair pair{kFirstRow + row, (kFirstBlock + block) * kBlockColumns + column};
                if (scores[size_t(column)] >= limit && !is_excluded(pair.first, reference_at(pair.second)))
                    expected[pair] = scores[size_t(column)];
            }
        }
    }
    Candidates candidates;
    filter<kStationary>(tiles, row_scales, candidates);

    CHECK(candidates.hits.size() == expected.size(), "%d hits, wanted %d, share %g", int(candidates.hits.size()),
          int(expected.size()), share);
    std::map<int, std::vector<int>> places;
    for (const auto& hit : expected) {
        const auto found = candidates.hits.find(hit.first);
        CHECK(found != candidates.hits.end(), "row %d, position %d is missing", hit.first.first, hit.first.second);
        CHECK(std::memcmp(&found->second.score, &hit.second, 4) == 0, "score %.9g, wanted %.9g", found->second.score,
              hit.second);
        places[hit.first.first].push_back(found->second.place);
    }
    for (auto& row : places) {
        std::sort(row.second.begin(), row.second.end());
        for (size_t i = 0; i < row.second.size(); ++i)
            CHECK(row.second[i] == int(i), "row %d: place %d taken twice or left open", row.first, int(i));
        CHECK(candidates.counts[row.first] == int(row.second.size()), "row %d counts %d", row.first,
              candidates.counts[row.first]);
    }
}

}  // namespace

int main() {
    hits_are_the_scores_at_their_limits<true>(0, 1, 1);
    hits_are_the_scores_at_their_limits<true>(0.002, 2, 2);
    hits_are_the_scores_at_their_limits<false>(0.03, 2, 3);
    hits_are_the_scores_at_their_limits<true>(0.2, 1, 4);  // about as many per batch as the queue still takes
    hits_are_the_scores_at_their_limits<false>(1, 1, 5);
}
