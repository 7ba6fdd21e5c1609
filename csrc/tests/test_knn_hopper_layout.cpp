// Index arithmetic of the Hopper pass against what the PTX ISA documents: result fragments, swizzled operand tiles,
// matrix descriptors, the division of work and of shared memory. Host code; the device reads the same functions.
#include <cstdint>
#include <set>
#include <utility>
#include <vector>

#include "check.h"
#include "knn/cuda/hopper_schedule.h"

using namespace rote::hopper;

namespace {

// PTX ISA, figure "WGMMA .m64nNk16 register fragment layout for accumulator matrix D", read off at its corners.
void accumulators_are_where_ptx_puts_them() {
    struct Entry {
        int thread, index, row, column;
    };
    const Entry documented[] = {{0, 0, 0, 0},    {0, 1, 0, 1},      {1, 0, 0, 2},   {3, 1, 0, 7},    {4, 0, 1, 0},
                                {31, 1, 7, 7},   {0, 2, 8, 0},      {31, 3, 15, 7}, {0, 4, 0, 8},    {0, 6, 8, 8},
                                {32, 0, 16, 0},  {63, 3, 31, 7},    {96, 0, 48, 0}, {127, 3, 63, 7}, {0, 60, 0, 120},
                                {3, 61, 0, 127}, {127, 63, 63, 127}};
    for (const Entry& entry : documented) {
        const ResultPlace place = accumulator_place(entry.thread, entry.index);
        CHECK(place.row == entry.row && place.column == entry.column, "thread %d register %d: (%d, %d)", entry.thread,
              entry.index, place.row, place.column);
    }
}

template <class Shape>
void accumulators_cover_the_result_once() {
    std::set<std::pair<int, int>> seen;
    for (int thread = 0; thread < kGroupThreads; ++thread)
        for (int index = 0; index < Shape::kSums; ++index) {
            const ResultPlace place = accumulator_place(thread, index);
            CHECK(place.row >= 0 && place.row < kMmaRows && place.column >= 0 && place.column < Shape::kColumns,
                  "outside");
            CHECK(seen.insert({place.row, place.column}).second, "(%d, %d) twice", place.row, place.column);
        }
    CHECK(int(seen.size()) == kMmaRows * Shape::kColumns, "%d places", int(seen.size()));
}

// The epilogue walks (half, column block, element) and computes rows and columns from the thread's first place.
template <class Shape>
void epilogue_indices_agree_with_places() {
    for (int thread = 0; thread < kGroupThreads; ++thread) {
        const ResultPlace first = accumulator_place(thread, 0);
        for (int half = 0; half < 2; ++half)
            for (int block = 0; block < Shape::kColumnBlocks; ++block)
                for (int element = 0; element < 2; ++element) {
                    const ResultPlace place = accumulator_place(thread, accumulator_index(half, block, element));
                    CHECK(place.row == first.row + 8 * half && place.column == first.column + 8 * block + element,
                          "thread %d half %d block %d element %d", thread, half, block, element);
                }
    }
}

// Both groups together, in either mode: every query of the tile meets every reference of the block once.
void groups_cover_the_block_once() {
    for (int stationary = 0; stationary < 2; ++stationary) {
        std::set<std::pair<int, int>> seen;
        const int rows = kMmaRows * (stationary ? GroupFragment<true>::kRowTiles : GroupFragment<false>::kRowTiles);
        const int columns = stationary ? GroupFragment<true>::kColumns : GroupFragment<false>::kColumns;
        for (int group = 0; group < kConsumerGroups; ++group)
            for (int row = 0; row < rows; ++row)
                for (int column = 0; column < columns; ++column)
                    seen.insert(
                        {group_row(stationary != 0, group) + row, group_column(stationary != 0, group) + column});
        CHECK(int(seen.size()) == kQueryRows * kBlockColumns, "%d pairs", int(seen.size()));
        CHECK(seen.rbegin()->first == kQueryRows - 1, "rows");
    }
}

// 128-byte swizzling is Swizzle<3, 4, 3>: three bits from bit 7 upwards are xored onto those from bit 4 upwards. Over
// eight rows, equal columns of 16 bytes fall into eight different bank groups.
void swizzle_is_a_bijection_of_atoms_without_conflicts() {
    for (uint32_t base = 0; base < 4 * uint32_t(kAtomBytes); base += kAtomBytes) {
        std::set<uint32_t> seen;
        for (uint32_t offset = 0; offset < uint32_t(kAtomBytes); ++offset) {
            const uint32_t address = swizzle_128b(base + offset);
            const uint32_t expected = (base + offset) ^ ((((base + offset) >> 7) & 7u) << 4);
            CHECK(address == expected && address / kAtomBytes == base / kAtomBytes, "address %u", base + offset);
            CHECK(seen.insert(address).second, "address %u twice", address);
        }
    }
    for (uint32_t column = 0; column < kChunkWidth; column += 8) {
        std::set<uint32_t> bank_groups;
        for (uint32_t row = 0; row < kAtomRows; ++row) bank_groups.insert(tile_offset(row, column) / 16 % 8);
        CHECK(bank_groups.size() == kAtomRows, "column %u", column);
    }
}

// wgmma's side, written from the descriptor format and the canonical layout Swizzle<3,4,3> o ((8,m),(T,2k)):
// ((8T,SBO),(1,T)), T = 8 halves: byte address of element (row, k) of the operand a descriptor names.
uint32_t operand_address(uint64_t descriptor, int row, int k) {
    CHECK(descriptor >> 62 == 1 && ((descriptor >> 49) & 7) == 0, "swizzle mode or base offset");
    CHECK(((descriptor >> 16) & 0x3fff) == 1, "leading offset");
    CHECK((descriptor & 0x001cc000c000c000ull) == 0, "reserved bits");
    const uint32_t start = uint32_t(descriptor & 0x3fff) << 4, stride = uint32_t((descriptor >> 32) & 0x3fff) << 4;
    const uint32_t linear = start + uint32_t(row / 8) * stride + uint32_t(row % 8) * 128 + uint32_t(k) * 2;
    return linear ^ ((linear >> 3) & 0x70u);
}

// What TMA writes, wgmma finds: rows of a tile at any place of the shared memory of a block, every step, both row
// tiles.
void descriptors_find_what_the_copy_engine_wrote() {
    for (const uint32_t base : {0u, 1024u, 0x8000u, 0x20400u, uint32_t(kSharedLimit) / 1024 * 1024 - 32768u}) {
        std::vector<uint16_t> shared(kSharedLimit / 2, 0xffff);
        for (uint32_t row = 0; row < 256; ++row)
            for (uint32_t column = 0; column < kChunkWidth; ++column)
                shared[(base + tile_offset(row, column)) / 2] = uint16_t(row * kChunkWidth + column);
        for (int first_row = 0; first_row < 256; first_row += kMmaRows)
            for (int step = 0; step < kChunkWidth / kStepWidth; ++step) {
                const uint32_t low = descriptor_low(base) + descriptor_offset(first_row, step);
                const uint64_t descriptor = uint64_t(kDescriptorHigh) << 32 | low;
                for (int row = 0; row < kMmaRows; ++row)
                    for (int k = 0; k < kStepWidth; ++k)
                        CHECK(shared[operand_address(descriptor, row, k) / 2] ==
                                  (first_row + row) * kChunkWidth + step * kStepWidth + k,
                              "base %u row %d step %d k %d", base, first_row + row, step, k);
            }
    }
}

void shared_memory_is_divided_without_overlap() {
    for (int stationary = 0; stationary < 2; ++stationary)
        for (int chunks = 1; chunks <= (stationary ? kMaxStationaryChunks : 64); ++chunks) {
            const SharedPlan plan = shared_plan(stationary != 0, chunks);
            CHECK(plan.bytes <= kSharedLimit, "%d bytes", plan.bytes);
            CHECK(plan.stages >= 4 && plan.stages <= kMaxStages, "%d stages of %d chunks", plan.stages, chunks);
            CHECK(plan.stage_offset == (stationary ? chunks * tile_bytes(kQueryRows) : 0), "stages");
            CHECK(plan.column_offset == plan.stage_offset + plan.stages * stage_bytes(stationary != 0), "columns");
            CHECK(plan.queue_offset == plan.column_offset + kColumnSlots * kColumnBytes, "queues");
            CHECK(plan.barrier_offset == plan.queue_offset + kConsumerWarps * kQueueBytes, "barriers");
            CHECK(plan.bytes >= plan.barrier_offset + 8 * kBarriers + kAtomBytes - 1, "room for rounding the base");
            CHECK(plan.stage_offset % kAtomBytes == 0 && stage_bytes(stationary != 0) % kAtomBytes == 0, "atoms");
            CHECK(plan.column_offset % 16 == 0 && kColumnBytes % 16 == 0 && plan.barrier_offset % 8 == 0, "alignment");
        }
}

void barriers_have_numbers_of_their_own() {
    std::set<int> numbers = {kQueriesFull, kQueriesEmpty, kTurn, kTurn + 1};
    for (int slot = 0; slot < kMaxStages; ++slot) {
        numbers.insert(stage_full(slot));
        numbers.insert(stage_empty(slot));
        CHECK(barrier_arrivals(stage_full(slot), true, 2) == 1, "full");
        CHECK(barrier_arrivals(stage_empty(slot), true, 2) == 8 && barrier_arrivals(stage_empty(slot), false, 1) == 8,
              "empty");
    }
    for (int slot = 0; slot < kColumnSlots; ++slot) {
        numbers.insert(column_full(slot));
        numbers.insert(column_empty(slot));
    }
    CHECK(int(numbers.size()) == kBarriers && *numbers.begin() == 0 && *numbers.rbegin() == kBarriers - 1, "numbers");
}

void schedules_cover_every_pair_once() {
    for (const int tile_groups : {1, 2, 3, 40, 196})
        for (const int blocks : {1, 2, 7, 64, 196, 1000})
            for (const int clusters : {1, 2, 66, 132})
                for (const int first_block : {0, 5}) {
                    const int splits = choose_splits(tile_groups, blocks, clusters, 2);
                    const Schedule schedule{tile_groups, first_block, blocks, splits};
                    std::vector<int> next(size_t(tile_groups), first_block);
                    for (int i = 0; i < schedule.items(); ++i) {
                        const WorkItem item = schedule.item(i);
                        CHECK(item.first_block == next[size_t(item.tile_group)] && item.last_block > item.first_block,
                              "item %d of %d x %d in %d", i, tile_groups, blocks, splits);
                        next[size_t(item.tile_group)] = item.last_block;
                    }
                    for (const int end : next) CHECK(end == first_block + blocks, "ends at %d", end);
                }
    CHECK(choose_splits(1, 4000, 66, 1) == 66, "few queries split the references");
    CHECK(choose_splits(66 * 3, 4000, 66, 1) == 1, "many queries do not");
    CHECK(choose_splits(33, 4000, 66, 1) == 2, "half the clusters would be idle");
}

}  // namespace

int main() {
    accumulators_are_where_ptx_puts_them();
    accumulators_cover_the_result_once<Fragment<1>>();
    accumulators_cover_the_result_once<Fragment<2>>();
    epilogue_indices_agree_with_places<Fragment<1>>();
    epilogue_indices_agree_with_places<Fragment<2>>();
    groups_cover_the_block_once();
    swizzle_is_a_bijection_of_atoms_without_conflicts();
    descriptors_find_what_the_copy_engine_wrote();
    shared_memory_is_divided_without_overlap();
    barriers_have_numbers_of_their_own();
    schedules_cover_every_pair_once();
    return 0;
}
