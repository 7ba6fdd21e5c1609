// tests/random_scheduler.h: threads that take turns, in random order and at very different speeds.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "check.h"

namespace rote {

/// Threads of which one runs at a time; whoever waits names a condition.
class Scheduler {
  public:
    explicit Scheduler(uint32_t seed) : random_(seed) {}

    void add(std::function<void()> work) {
        const int id = int(actors_.size());
        actors_.push_back(std::make_unique<Actor>());
        constexpr int kSpeeds[] = {1, 8, 64};
        actors_.back()->weight = kSpeeds[random_() % 3];
        actors_.back()->work = [this, id, work] {
            take_turn(id);
            work();
            std::unique_lock<std::mutex> lock(mutex_);
            actors_[size_t(id)]->done = true;
            hand_over();
        };
    }

    void run() {
        for (auto& actor : actors_) actor->thread = std::thread(actor->work);
        {
            std::unique_lock<std::mutex> lock(mutex_);
            hand_over();
        }
        for (auto& actor : actors_) actor->thread.join();
    }

    /// Lets others run until `condition` holds and it is this actor's turn.
    void pause(std::function<bool()> condition = nullptr) {
        const int id = running_;
        {
            std::unique_lock<std::mutex> lock(mutex_);
            actors_[size_t(id)]->condition = std::move(condition);
            hand_over();
        }
        take_turn(id);
    }

    uint32_t draw(uint32_t bound) { return uint32_t(random_()) % bound; }

    /// Whether all actors but one are through.
    bool others_done() const {
        int left = 0;
        for (const auto& actor : actors_) left += !actor->done;
        return left == 1;
    }

  private:
    struct Actor {
        std::function<void()> work;
        std::function<bool()> condition;
        std::condition_variable turn;
        std::thread thread;
        int weight = 1;
        bool done = false;
    };

    void take_turn(int id) {
        std::unique_lock<std::mutex> lock(mutex_);
        actors_[size_t(id)]->turn.wait(lock, [&] { return running_ == id; });
    }

    void hand_over() {
        int total = 0, left = 0;
        for (const auto& actor : actors_) {
            left += !actor->done;
            if (!actor->done && (!actor->condition || actor->condition())) total += actor->weight;
        }
        if (left == 0) return;
        CHECK(total > 0, "deadlock: %d actors wait", left);
        int ticket = int(random_() % uint32_t(total));
        for (size_t id = 0; id < actors_.size(); ++id) {
            Actor& actor = *actors_[id];
            if (actor.done || (actor.condition && !actor.condition())) continue;
            ticket -= actor.weight;
            if (ticket < 0) {
                running_ = int(id);
                actor.condition = nullptr;
                actor.turn.notify_one();
                return;
            }
        }
    }

    std::mt19937 random_;
    std::mutex mutex_;
    std::vector<std::unique_ptr<Actor>> actors_;
    int running_ = -1;
};

}  // namespace rote
