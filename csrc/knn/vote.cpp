// knn/vote.cpp: the vote of one row on the CPU, the checks of a vote, and its entry points.
#include "knn/vote.h"

#include <algorithm>
#include <vector>

#include "knn/neighbors.h"
#include "rote/error.h"

namespace rote {
namespace {

/// Room for the sums of all classes where the caller wants winners alone: all zero between two rows.
double* sums_of_this_thread(int64_t num_classes) {
    thread_local std::vector<double> sums;
    if (int64_t(sums.size()) < num_classes) sums.resize(size_t(num_classes));
    return sums.data();
}

/// Only classes of neighbours have votes, so the others need not be looked at.
int64_t winner_among(const VoteProblem& vote, const double* sums, const Neighbor* neighbors, int64_t count) {
    int64_t winner = -1;
    double most = 0;
    for (int64_t i = 0; i < count; ++i) {
        const int64_t label = vote.labels[neighbors[i].index];
        if (leads(sums[label], label, most, winner)) most = sums[label], winner = label;
    }
    return winner;
}

void check_labels(const KnnProblem& problem) {
    const VoteProblem& vote = *problem.vote;
    for (int64_t i = 0; i < problem.references.rows; ++i)
        ROTE_CHECK_ARG(is_class(vote, vote.labels[i]), "labels: wanted classes in [0, ", vote.num_classes, "), got ",
                       vote.labels[i], " for reference ", i);
}

}  // namespace

void cast_votes(const KnnProblem& problem, int64_t query, const Neighbor* neighbors, int64_t count) {
    const VoteProblem& vote = *problem.vote;
    const int64_t classes = vote.num_classes, row = vote.rows ? vote.rows[query] : query;
    double* sums = vote.scores ? nullptr : sums_of_this_thread(classes);
    int64_t cast = 0;
    for (int64_t size = 0; size < vote.num_ks; ++size) {
        if (vote.scores) {
            double* const scores = vote.scores + (size * vote.num_queries + row) * classes;
            if (sums)
                std::copy_n(sums, classes, scores);
            else
                std::fill_n(scores, classes, 0.0);
            sums = scores;
        }
        for (const int64_t stop = std::min(vote.ks[size], count); cast < stop; ++cast)
            sums[vote.labels[neighbors[cast].index]] +=
                vote_weight(vote, problem.metric, neighbors[cast].key, neighbors[0].key);
        if (vote.winners) vote.winners[size * vote.num_queries + row] = winner_among(vote, sums, neighbors, cast);
    }
    if (!vote.scores)
        for (int64_t i = 0; i < cast; ++i) sums[vote.labels[neighbors[i].index]] = 0;
}

void check_vote_problem(const KnnProblem& problem) {
    check_knn_problem(problem);
    ROTE_CHECK_ARG(problem.vote, "vote: wanted one");
    const VoteProblem& vote = *problem.vote;
    ROTE_CHECK_ARG(vote.num_queries == problem.queries.rows && !vote.rows, "num_queries: wanted ", problem.queries.rows,
                   ", got ", vote.num_queries);
    ROTE_CHECK_ARG(vote.num_classes >= 1, "num_classes: wanted at least 1, got ", vote.num_classes);
    ROTE_CHECK_ARG(vote.num_ks >= 1, "ks: wanted at least one number of neighbours");
    for (int64_t i = 0; i < vote.num_ks; ++i) {
        ROTE_CHECK_ARG(vote.ks[i] >= 1 && vote.ks[i] <= problem.k, "ks: wanted between 1 and ", problem.k, ", got ",
                       vote.ks[i]);
        ROTE_CHECK_ARG(i == 0 || vote.ks[i] > vote.ks[i - 1], "ks: wanted increasing, got ", vote.ks[i], " after ",
                       vote.ks[i - 1]);
    }
    ROTE_CHECK_ARG(vote.weights >= VoteWeights::uniform && vote.weights <= VoteWeights::softmax,
                   "weights: wanted uniform, distance or softmax");
    ROTE_CHECK_ARG(vote.weights != VoteWeights::distance || problem.metric != KnnMetric::ip,
                   "weights: distance wants a distance, got the metric ip");
    ROTE_CHECK_ARG(vote.temperature > 0 && is_finite(vote.temperature), "temperature: wanted positive and finite, got ",
                   vote.temperature);
}

KnnStats knn_vote_cpu(const KnnProblem& problem, const KnnOptions& options) {
    check_vote_problem(problem);
    check_labels(problem);
    return knn_search_cpu(problem, options);
}

void knn_vote_reference(const KnnProblem& problem) {
    check_vote_problem(problem);
    check_labels(problem);
    knn_search_reference(problem);
}

#if !defined(ROTE_HAVE_CUDA)
int64_t knn_vote_workspace_bytes(int64_t, int64_t, int64_t, int64_t, int64_t, bool, const std::string&) {
    throw DeviceError("knn_vote: rote was built without CUDA");
}

void knn_vote_cuda(const KnnProblem&, void*, void*, const std::string&) {
    throw DeviceError("knn_vote: rote was built without CUDA");
}
#endif

}  // namespace rote
