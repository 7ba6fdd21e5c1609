// The barrier protocol of the Hopper pass without a Hopper: knn/cuda/hopper_pipeline.h runs on simulated barriers, a
// simulated copy engine and simulated warps, one at a time in random order, some of them much slower than others.
// Checked: nobody waits for ever, nobody reads what is not there yet, nothing is overwritten while it is read, and
// every query tile meets every half block and chunk exactly once.
#include <functional>
#include <map>
#include <tuple>
#include <vector>

#include "check.h"
#include "knn/cuda/hopper_pipeline.h"
#include "random_scheduler.h"

using namespace rote::hopper;
using rote::Scheduler;

namespace {

// PTX ISA, mbarrier: a phase is complete when no arrival and no byte is pending.
struct Barrier {
    int arrivals = 0, pending = 0, bytes = 0, phase = 0;

    void arrive(int expected_bytes = 0) {
        CHECK(pending > 0, "an arrival too many");
        --pending;
        bytes += expected_bytes;
        complete();
    }
    void receive(int received) {
        bytes -= received;
        complete();
    }
    void complete() {
        if (pending != 0 || bytes != 0) return;
        pending = arrivals;
        ++phase;
    }
    bool passed(uint32_t parity) const { return (uint32_t(phase) & 1) != parity; }
};

using Tag = std::tuple<int, int, int, int>;  // what lies in a place; -1 where a part does not apply

struct Block {  // of threads
    Barrier barriers[kBarriers];
    std::map<std::pair<int, int>, Tag> queries, stages, columns;  // by (chunk or slot, part)
};

struct Copy {
    std::vector<int> blocks;
    std::map<std::pair<int, int>, Tag> Block::* place;
    std::pair<int, int> key;
    Tag tag;
    int barrier, bytes;
};

struct Cluster {
    Scheduler& scheduler;
    PipelineShape shape;
    int size;
    std::vector<Block> blocks;
    std::vector<Copy> copies;
    std::map<std::tuple<int, int, int, int>, int> products;  // (query tile, block, half, chunk): warps that multiplied
};

class Actor {
  public:
    Actor(Cluster& cluster, int rank) : cluster_(cluster), rank_(rank) {}

    void wait(int barrier, uint32_t parity) {
        cluster_.scheduler.pause([this, barrier, parity] { return block().barriers[barrier].passed(parity); });
    }
    void signal(int barrier) {
        cluster_.scheduler.pause();
        block().barriers[barrier].arrive();
    }

  protected:
    Block& block() { return cluster_.blocks[size_t(rank_)]; }
    int tile(const WorkItem& item) const { return item.tile_group * cluster_.size + rank_; }

    Cluster& cluster_;
    int rank_;
};

template <bool kStationary>
class Copies : public Actor {
  public:
    using Actor::Actor;

    void expect_queries() { expect(kQueriesFull, cluster_.shape.chunks * tile_bytes(kQueryRows)); }
    void expect_stage(int slot) { expect(stage_full(slot), stage_bytes(kStationary)); }
    void expect_columns(int slot) { expect(column_full(slot), kBlockColumns * 4); }

    void copy_queries(const WorkItem& item, int chunk) {
        copy({rank_}, &Block::queries, {chunk, 0}, {tile(item), chunk, -1, -1}, kQueriesFull, tile_bytes(kQueryRows));
    }
    void copy_stage(const WorkItem& item, int block, int half, int chunk, int slot) {
        std::vector<int> all;
        for (int rank = 0; rank < cluster_.size; ++rank) all.push_back(rank);
        const int bytes = tile_bytes(stage_references(kStationary)) / cluster_.size;
        if (!kStationary)
            copy({rank_}, &Block::stages, {slot, -1}, {tile(item), chunk, -1, -1}, stage_full(slot),
                 tile_bytes(kQueryRows));
        copy(all, &Block::stages, {slot, rank_}, {block, half, chunk, rank_}, stage_full(slot), bytes);
    }
    void copy_columns(int block, int slot) {
        copy({rank_}, &Block::columns, {slot, 0}, {block, -1, -1, -1}, column_full(slot), kBlockColumns * 4);
    }

  private:
    void expect(int barrier, int bytes) {
        cluster_.scheduler.pause();
        block().barriers[barrier].arrive(bytes);
    }
    void copy(std::vector<int> blocks, std::map<std::pair<int, int>, Tag> Block::* place, std::pair<int, int> key,
              Tag tag, int barrier, int bytes) {
        cluster_.scheduler.pause();
        cluster_.copies.push_back({std::move(blocks), place, key, tag, barrier, bytes});
    }
};

class Limits : public Actor {
  public:
    using Actor::Actor;

    void start_item(const WorkItem& item) { item_ = item; }
    void write_limits(int block, int slot) {
        cluster_.scheduler.pause();
        this->block().columns[{slot, 1}] = {tile(item_), block, -1, -1};
    }

  private:
    WorkItem item_{};
};

template <bool kStationary>
class Products : public Actor {
  public:
    Products(Cluster& cluster, int rank, int group) : Actor(cluster, rank), group_(group) {}

    void start_item(const WorkItem& item) {
        item_ = item;
        block_ = item.first_block;
    }
    void release_stage(int slot) {
        for (Block& each : cluster_.blocks) {
            cluster_.scheduler.pause();
            each.barriers[stage_empty(slot)].arrive();
        }
    }
    void multiply(int chunk, int slot) {
        cluster_.scheduler.pause();
        running_.push_back({chunk, slot});
        check_operands(running_.back());
        cluster_.products[{tile(item_), block_, group_, chunk}]++;
    }
    template <int kPending>
    void wait_products() {
        while (running_.size() > kPending) {
            cluster_.scheduler.pause();
            check_operands(running_.front());
            running_.erase(running_.begin());
        }
    }
    void filter(int block, int slot) {
        CHECK(block == block_, "filters block %d, multiplied %d", block, block_);
        for (int look = 0; look < 2; ++look) {
            cluster_.scheduler.pause();
            const Tag biases{block, -1, -1, -1}, limits{tile(item_), block, -1, -1};
            CHECK((this->block().columns[{slot, 0}] == biases), "biases of block %d", block);
            CHECK((this->block().columns[{slot, 1}] == limits), "limits of block %d", block);
        }
        ++block_;
    }
    void finish_item() {
        CHECK(block_ == item_.last_block && running_.empty(), "ends at block %d of %d", block_, item_.last_block);
    }

  private:
    struct Running {
        int chunk, slot;
    };

    void check_operands(const Running& product) {
        const Tag queries{tile(item_), product.chunk, -1, -1};
        if (kStationary)
            CHECK((block().queries[{product.chunk, 0}] == queries), "queries, chunk %d", product.chunk);
        else
            CHECK((block().stages[{product.slot, -1}] == queries), "queries, slot %d", product.slot);
        for (int share = 0; share < cluster_.size; ++share) {
            const Tag references{block_, kStationary ? group_ : 0, product.chunk, share};
            CHECK((block().stages[{product.slot, share}] == references), "block %d, chunk %d, slot %d", block_,
                  product.chunk, product.slot);
        }
    }

    int group_, block_ = 0;
    WorkItem item_{};
    std::vector<Running> running_;
};

void deliver_copies(Cluster& cluster) {
    while (true) {
        cluster.scheduler.pause([&] { return !cluster.copies.empty() || cluster.scheduler.others_done(); });
        if (cluster.copies.empty()) return;
        const size_t chosen = cluster.scheduler.draw(uint32_t(cluster.copies.size()));
        const Copy copy = cluster.copies[chosen];
        cluster.copies.erase(cluster.copies.begin() + long(chosen));
        for (const int rank : copy.blocks) {
            Block& block = cluster.blocks[size_t(rank)];
            (block.*copy.place)[copy.key] = copy.tag;
            block.barriers[copy.barrier].receive(copy.bytes);
        }
    }
}

template <bool kStationary>
void simulate(int cluster_size, int chunks, int stages, const Schedule& schedule, uint32_t seed) {
    Scheduler scheduler(seed);
    Cluster cluster{
        scheduler, {schedule, chunks, stages, 0, 1}, cluster_size, std::vector<Block>(size_t(cluster_size)), {}, {}};
    for (Block& block : cluster.blocks)
        for (int i = 0; i < kBarriers; ++i)
            block.barriers[i].arrivals = block.barriers[i].pending = barrier_arrivals(i, kStationary, cluster_size);
    for (int rank = 0; rank < cluster_size; ++rank) {
        scheduler.add([&cluster, rank] {
            Copies<kStationary> copies(cluster, rank);
            run_copies<kStationary>(cluster.shape, copies);
        });
        for (int warp = 0; warp < kLimitWarps; ++warp)
            scheduler.add([&cluster, rank, warp] {
                Limits limits(cluster, rank);
                run_limits(cluster.shape, warp, limits);
            });
        for (int warp = 0; warp < kConsumerWarps; ++warp)
            scheduler.add([&cluster, rank, warp] {
                Products<kStationary> products(cluster, rank, warp / kGroupWarps);
                run_products<kStationary>(cluster.shape, warp / kGroupWarps, products);
            });
    }
    scheduler.add([&cluster] { deliver_copies(cluster); });
    scheduler.run();

    CHECK(cluster.products.size() ==
              size_t(schedule.tile_groups * cluster_size * schedule.blocks * kConsumerGroups * chunks),
          "%d products", int(cluster.products.size()));
    for (const auto& product : cluster.products) CHECK(product.second == kGroupWarps, "%d warps", product.second);
}

}  // namespace

int main() {
    uint32_t seed = 1;
    for (int round = 0; round < 3; ++round)
        for (const int cluster_size : {1, 2}) {
            // Fewer, as many and more chunks than stages; blocks that use the column ring more than once.
            simulate<true>(cluster_size, 1, 12, {2, 3, 9, 1}, seed++);
            simulate<true>(cluster_size, 2, 5, {2, 0, 8, 2}, seed++);
            simulate<true>(cluster_size, 8, 5, {2, 0, 4, 1}, seed++);
            simulate<true>(cluster_size, 3, 3, {3, 0, 3, 1}, seed++);
            simulate<false>(cluster_size, 9, 4, {2, 0, 3, 1}, seed++);
            simulate<false>(cluster_size, 2, 3, {1, 1, 8, 2}, seed++);
        }
    return 0;
}
