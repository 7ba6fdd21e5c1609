// tests/test_knn_vote.cpp: the exponential, the weights, and the vote of every executor against a plain sum.
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <random>
#include <vector>

#include "check.h"
#include "knn/cpu/kernels.h"
#include "knn/cpu/search_cpu.h"
#include "knn/vote.h"
#include "rote/error.h"

using namespace rote;

namespace {

constexpr KnnMetric kMetrics[] = {KnnMetric::l2, KnnMetric::sqeuclidean, KnnMetric::cosine, KnnMetric::ip};
constexpr VoteWeights kWeights[] = {VoteWeights::uniform, VoteWeights::distance, VoteWeights::softmax};
constexpr double kInf = std::numeric_limits<double>::infinity();

void test_exponential() {
    double worst = 0, worst_subnormal = 0;
    for (int i = 0; i <= 600000; ++i) {
        const double x = i < 400000 ? -i * 1.771e-3 : -(i - 400000) * 1.1e-5;
        const long double exact = std::exp((long double)x);
        int exponent;
        std::frexp(double(exact), &exponent);
        const long double error = std::fabs((long double)exp_of_nonpositive(x) - exact);
        worst = std::fmax(worst, double(error / std::ldexp(1.0L, exponent - 53)));
    }
    for (int i = 0; i <= 40000; ++i) {
        const double x = -708.0 - i * 1e-3;
        const long double error = std::fabs((long double)exp_of_nonpositive(x) - std::exp((long double)x));
        worst_subnormal = std::fmax(worst_subnormal, double(error / 0x1p-1074L));
    }
    CHECK(worst < 1.0, "exp is off by %g ulp", worst);
    CHECK(worst_subnormal < 1.0, "exp is off by %g subnormal steps", worst_subnormal);
    CHECK(exp_of_nonpositive(0.0) == 1.0 && exp_of_nonpositive(-0.0) == 1.0 && exp_of_nonpositive(-1e-300) == 1.0);
    CHECK(exp_of_nonpositive(-746.0) == 0 && exp_of_nonpositive(-kInf) == 0 && exp_of_nonpositive(-745.0) > 0);
    CHECK(std::isnan(exp_of_nonpositive(NAN)));
}

double weight(VoteWeights weights, KnnMetric metric, double key, double first_key, double temperature = 0.5) {
    VoteProblem vote;
    vote.weights = weights;
    vote.temperature = temperature;
    return vote_weight(vote, metric, key, first_key);
}

void test_weights_by_hand() {
    for (KnnMetric metric : kMetrics) {
        CHECK(weight(VoteWeights::uniform, metric, 3, 1) == 1);
        CHECK(weight(VoteWeights::softmax, metric, 0.25, 0.25) == 1);
        CHECK(weight(VoteWeights::softmax, metric, kInf, kInf) == 1, "as near as the nearest");
        CHECK(weight(VoteWeights::softmax, metric, kInf, 0.25) == 0);
    }
    CHECK(weight(VoteWeights::distance, KnnMetric::l2, 16, 4) == 0.25);
    CHECK(weight(VoteWeights::distance, KnnMetric::sqeuclidean, 16, 4) == 0.0625);
    CHECK(weight(VoteWeights::distance, KnnMetric::cosine, -0.5, -0.75) == 2, "1 / (1 - 0.5)");
    CHECK(weight(VoteWeights::distance, KnnMetric::l2, kInf, 4) == 0);
    CHECK(weight(VoteWeights::distance, KnnMetric::l2, 0, 0) == 1 &&
          weight(VoteWeights::distance, KnnMetric::l2, 4, 0) == 0);
    CHECK(weight(VoteWeights::distance, KnnMetric::sqeuclidean, 5e-324, 0) == 1, "1 / distance is infinite as well");
    CHECK(weight(VoteWeights::softmax, KnnMetric::l2, 9, 4) == exp_of_nonpositive(-2));
    CHECK(weight(VoteWeights::softmax, KnnMetric::sqeuclidean, 9, 4) == exp_of_nonpositive(-10));
    CHECK(weight(VoteWeights::softmax, KnnMetric::cosine, -0.25, -0.75) == exp_of_nonpositive(-1));
    CHECK(weight(VoteWeights::softmax, KnnMetric::ip, 1e300, -1e300) == 0);
    CHECK(weight(VoteWeights::softmax, KnnMetric::ip, -3, -kInf) == 0);
    CHECK(leads(2, 5, 1, 0) && leads(2, 1, 2, 5) && !leads(2, 5, 2, 1) && !leads(0, 0, 0, -1));
}

struct Ballot {
    KnnProblem problem;
    VoteProblem vote;
    std::vector<double> scores;
    std::vector<int64_t> winners;

    Ballot(const KnnProblem& search, const VoteProblem& wanted, bool with_scores = true, bool with_winners = true)
        : problem(search),
          vote(wanted),
          scores(size_t(wanted.num_ks * search.queries.rows * wanted.num_classes), -7.0),
          winners(size_t(wanted.num_ks * search.queries.rows), -7) {
        vote.scores = with_scores ? scores.data() : nullptr;
        vote.winners = with_winners ? winners.data() : nullptr;
        vote.num_queries = search.queries.rows;
        problem.vote = &vote;
    }
    Ballot(const Ballot&) = delete;
};

bool same_bits(const std::vector<double>& a, const std::vector<double>& b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), 8 * a.size()) == 0;
}

/// The votes of neighbours that were written out, one map of sums per row and k.
void count_written_neighbors(Ballot& ballot) {
    const KnnProblem& search = ballot.problem;
    const VoteProblem& vote = ballot.vote;
    const auto rows = search.queries.rows;
    std::vector<double> keys(size_t(rows * search.k));
    std::vector<int64_t> indices(keys.size());
    KnnProblem plain = search;
    plain.vote = nullptr, plain.keys = keys.data(), plain.indices = indices.data();
    knn_search_reference(plain);
    std::fill(ballot.scores.begin(), ballot.scores.end(), 0.0);
    for (int64_t size = 0; size < vote.num_ks; ++size) {
        for (int64_t query = 0; query < rows; ++query) {
            std::map<int64_t, double> sums;
            for (int64_t i = query * search.k; i < query * search.k + vote.ks[size]; ++i)
                if (indices[size_t(i)] >= 0)
                    sums[vote.labels[indices[size_t(i)]]] +=
                        vote_weight(vote, search.metric, keys[size_t(i)], keys[size_t(query * search.k)]);
            int64_t winner = -1;
            double most = 0;
            for (const auto& [label, sum] : sums) {  // increasing classes
                ballot.scores[size_t((size * rows + query) * vote.num_classes + label)] = sum;
                if (sum > most) most = sum, winner = label;
            }
            ballot.winners[size_t(size * rows + query)] = winner;
        }
    }
}

struct Way {
    int threads;
    KnnPath path;
};
constexpr Way kWays[] = {{1, KnnPath::automatic},
                         {3, KnnPath::automatic},
                         {3, KnnPath::int16},
                         {1, KnnPath::float32},
                         {3, KnnPath::float64}};
int64_t rows_passed_on = 0;  // from the 16-bit pass to the next: some of the queries, in a search of their own

void check_all_executors(const KnnProblem& problem, const VoteProblem& vote, int round) {
    Ballot expected(problem, vote);
    count_written_neighbors(expected);
    Ballot reference(problem, vote);
    knn_vote_reference(reference.problem);
    CHECK(same_bits(reference.scores, expected.scores) && reference.winners == expected.winners, "round %d", round);
    for (SimdLevel level : compiled_simd_levels()) {
        if (level > detected_simd_level()) continue;
        for (const Way way : kWays) {
            Ballot both(problem, vote), scores(problem, vote, true, false), winners(problem, vote, false, true);
            const char* const name = simd_level_name(level);
            const int threads = way.threads;
            for (Ballot* ballot : {&both, &scores, &winners}) {
                const KnnStats stats = knn_vote_cpu(ballot->problem, {threads, level, way.path, true});
                if (way.path == KnnPath::int16) rows_passed_on += stats.rows_float32;
            }
            CHECK(same_bits(both.scores, expected.scores), "round %d, %s, %d threads", round, name, threads);
            CHECK(same_bits(scores.scores, expected.scores), "round %d, %s, %d threads", round, name, threads);
            CHECK(both.winners == expected.winners, "round %d, %s, %d threads", round, name, threads);
            CHECK(winners.winners == expected.winners, "round %d, %s, %d threads", round, name, threads);
            CHECK(scores.winners[0] == -7 && winners.scores[0] == -7, "what is not wanted is not written");
        }
    }
}

void test_random_votes() {
    std::mt19937 random(3);
    const auto below = [&](int n) { return int(random() % unsigned(n)); };
    for (int round = 0; round < 9; ++round) {
        const bool crowded = round % 6 == 2;  // more than 16 bit can tell apart: close together far from the centre
        const int64_t rows = 1 + below(20), total = crowded ? 2100 : 3 + below(150);
        const int64_t dim = crowded ? 2 : 1 + below(20), largest_k = crowded ? 6 : total;
        std::vector<float> values(size_t((rows + total) * dim));
        std::normal_distribution<float> normal;
        for (float& x : values) x = round % 3 == 0 ? float(below(3)) : normal(random);
        for (size_t i = 0; crowded && i < values.size(); ++i)
            values[i] = i % 2 ? 1e-8f * float(below(1000)) : float(below(2));
        if (round % 4 == 1) values[size_t(below(int(values.size())))] = NAN;
        VoteProblem vote;
        vote.num_classes = 1 + below(round % 2 ? 4 : 300);
        vote.temperature = 0.01 + 0.1 * below(20);
        std::vector<int64_t> labels(static_cast<size_t>(total)), exclude(static_cast<size_t>(rows)), ks;
        for (int64_t& x : labels) x = below(int(vote.num_classes));
        for (int64_t& x : exclude) x = below(int(total) + 1) - 1;
        for (int64_t k = 1 + below(3); k <= largest_k && ks.size() < 5; k += 1 + below(int(largest_k))) ks.push_back(k);
        std::vector<uint8_t> mask(static_cast<size_t>(total));
        for (uint8_t& x : mask) x = below(6) != 0 && round % 10 != 7;  // sometimes nobody
        vote.labels = labels.data();
        vote.ks = ks.data(), vote.num_ks = int64_t(ks.size());
        KnnProblem problem;
        problem.queries = {values.data(), DType::float32, rows, dim, dim};
        problem.references = {values.data() + rows * dim, DType::float32, total, dim, dim};
        problem.k = ks.back();
        problem.exclude = exclude.data(), problem.mask = mask.data();
        for (KnnMetric metric : kMetrics) {
            for (VoteWeights weights : kWeights) {
                if (metric == KnnMetric::ip && weights == VoteWeights::distance) continue;
                problem.metric = metric, vote.weights = weights;
                check_all_executors(problem, vote, round);
            }
        }
    }
    CHECK(rows_passed_on > 0, "no row went from the 16-bit pass to the next");
}

void test_checks() {
    const float values[4] = {};
    const int64_t labels[2] = {0, 2}, ks[2] = {1, 2}, falling[2] = {2, 1}, large[1] = {3};
    int64_t winners[4];
    VoteProblem good;
    good.labels = labels, good.num_classes = 3, good.ks = ks, good.num_ks = 2, good.winners = winners;
    good.num_queries = 2;
    KnnProblem problem;
    problem.queries = {values, DType::float32, 2, 2, 2};
    problem.references = {values, DType::float32, 2, 2, 2};
    problem.k = 2;
    CHECK_THROWS(ArgumentError, knn_vote_cpu(problem, {}));  // without a vote
    const auto run = [&](const VoteProblem& vote) {
        problem.vote = &vote;
        knn_vote_cpu(problem, {});
    };
    run(good);
    CHECK(winners[0] == 0 && winners[2] == 0, "a tie goes to the smaller class");
    VoteProblem bad = good;
    bad.num_classes = 2;
    CHECK_THROWS(ArgumentError, run(bad));
    bad = good, bad.num_queries = 1;
    CHECK_THROWS(ArgumentError, run(bad));
    bad = good, bad.num_ks = 0;
    CHECK_THROWS(ArgumentError, run(bad));
    bad = good, bad.ks = falling;
    CHECK_THROWS(ArgumentError, run(bad));
    bad = good, bad.ks = large, bad.num_ks = 1;
    CHECK_THROWS(ArgumentError, run(bad));
    bad = good, bad.weights = VoteWeights(3);
    CHECK_THROWS(ArgumentError, run(bad));
    for (double temperature : {0.0, -1.0, kInf, double(NAN)}) {
        bad = good, bad.temperature = temperature;
        CHECK_THROWS(ArgumentError, run(bad));
    }
    bad = good, bad.weights = VoteWeights::distance, problem.metric = KnnMetric::ip;
    CHECK_THROWS(ArgumentError, run(bad));
}

}  // namespace

int main() {
    test_exponential();
    test_weights_by_hand();
    test_random_votes();
    test_checks();
    std::puts("knn vote: ok");
}
