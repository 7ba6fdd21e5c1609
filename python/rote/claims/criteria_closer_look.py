"""Claims 15 to 30, of arXiv 1706.05394, Zhang et al. 2017 and what followed. Fixed before the runs."""

from __future__ import annotations

from rote.claims.criterion import CIFAR, DIGITS, NARROW, Criterion

CLOSER_LOOK = (
    Criterion(
        15,
        "everything can be fitted",
        "training accuracy >= .99 under each of Zhang's five conditions in every run; Kendall tau of the "
        "order of steps with true < shuffled pixels < Gaussian < random pixels < random labels >= .8",
        (NARROW,),
        "noise over the five conditions",
        ("noise",),
    ),
    Criterion(
        16,
        "no leak",
        "test accuracy after training on random labels: interval contains chance",
        (NARROW, CIFAR),
        "noise (narrow) and benign (512 images) with random labels",
        ("noise", "benign"),
    ),
    Criterion(
        17,
        "regularizers are neither necessary nor sufficient",
        "training accuracy on random labels with crop and weight decay >= .95 in every run; test accuracy on "
        "true labels without either >= .9 of the best",
        (NARROW,),
        "noise with --grid: crop x weight decay on true and on random labels",
        ("noise",),
    ),
    Criterion(
        18,
        "corruption slows and hurts",
        "Spearman of the share of redrawn labels with epochs to 99 % and with test error: both >= .9",
        (NARROW,),
        "noise over five levels of corruption",
        ("noise",),
    ),
    Criterion(
        19,
        "easy examples exist",
        "over-dispersion of error rates over one-epoch runs: true labels >= 3; interval under randX contains "
        "1; randY > 1 and less than true labels",
        (NARROW,),
        "easy over true labels, randX and randY",
        ("easy",),
    ),
    Criterion(
        20,
        "few examples dominate",
        "Gini of loss-sensitivity, real - random inputs >= .1, with the classes of the data and with a class "
        "for each example",
        (DIGITS,),
        "sensitivity on real and random inputs in both label settings",
        ("sensitivity",),
    ),
    Criterion(
        21,
        "sensitivity stays within the class",
        "diagonal / off-diagonal of the per-class matrix > 1 for real and random inputs; smaller for real",
        (DIGITS,),
        "sensitivity on real and random inputs",
        ("sensitivity",),
    ),
    Criterion(
        22,
        "noise makes complex functions",
        "critical sample ratio under randY and randX / on real data, at equal training accuracy: both >= 1.5",
        (NARROW,),
        "csr on real data, randX and randY",
        ("csr",),
    ),
    Criterion(
        23,
        "patterns first",
        "at the validation peak under 40 % redrawn labels: accuracy on examples with their true label - "
        "accuracy on those with a wrong one, on the labels used >= 40 points",
        (NARROW,),
        "trajectories with --noise .4",
        ("trajectories",),
    ),
    Criterion(
        24,
        "capacity and size",
        "ratio of epochs to full accuracy under noise and on real data: Spearman with the number of images > "
        "0, with the width < 0",
        (NARROW, DIGITS),
        "size --study convergence over widths and numbers of images",
        ("size",),
    ),
    Criterion(
        25,
        "noise wants capacity",
        "log2 of the best width under noisy inputs - that on clean data > 0; the same under noisy labels: "
        "interval contains 0",
        (DIGITS, NARROW),
        "size --study noise: widths x kinds of noise",
        ("size",),
    ),
    Criterion(
        26,
        "dropout stops memorizing cheaply",
        "fall of random-label accuracy at <= 2 points of real validation accuracy: dropout >= 50 points, "
        "dropout >= every other single regularizer, dropout with adversarial training >= dropout",
        (NARROW,),
        "regularize over all regularizers",
        ("regularize",),
    ),
    Criterion(
        27,
        "early stopping helps",
        "test accuracy at the epoch selected on the noisy validation part - final test accuracy, under 40 % "
        "redrawn labels >= 5 points",
        (NARROW,),
        "trajectories with --noise .4",
        ("trajectories",),
    ),
    Criterion(
        28,
        "depth speeds memorizing and keeps generalization",
        "Spearman of depth and epochs to 99 % on random labels < 0; true-label test accuracy of the deepest -"
        " that of the best depth >= -2 points, each at its best learning rate",
        (NARROW,),
        "depth over depths 1 to 8",
        ("depth",),
    ),
    Criterion(
        29,
        "last layers or few neurons?",
        "reported both ways at noise .1 and 1: fall of the accuracy on noisy labels by rewinding the last "
        "block - by rewinding the best other block. Holds when the interval is above 0 at both, fails when it"
        " is below 0 at both",
        (CIFAR,),
        "location with --noise .1 and with --noise 1",
        ("location",),
    ),
    Criterion(
        30,
        "memorizes only when needed; data sets differ",
        "share fitted when a third of the steps are done, on true, partly noisy and random labels: true > "
        "noisy > random on every data set, stated before the run; reported by data set",
        (NARROW, DIGITS),
        "trajectories with --noise 0, .4 and 1",
        ("trajectories",),
    ),
)
