"""Claims 1 to 14, of arXiv 2210.14019 and Maennel et al. Fixed before the runs."""

from __future__ import annotations

from rote.claims.criterion import CIFAR, DIGITS, TINY, Criterion

BENIGN = (
    Criterion(
        1,
        "without augmentation memorization is malign",
        "clean accuracy >= .99 in every run; interval of probe - initialization within +-3 points",
        (CIFAR,),
        "random labels without augmentation",
        ("benign",),
        min_seeds=5,
    ),
    Criterion(
        2,
        "with augmentation it is benign",
        "clean accuracy >= .99 and fresh views >= .95 in every run; probe - max(initialization, raw pixels) >= 5 "
        "points",
        (CIFAR, DIGITS),
        "random labels under a recipe",
        ("benign",),
    ),
    Criterion(
        3,
        "augmentation is the cause, not updates",
        "paired probe difference with - without augmentation at equal steps >= 5 points",
        (CIFAR,),
        "random labels under a recipe and without, at equal seeds and steps",
        ("benign",),
    ),
    Criterion(
        4,
        "it needs consistent labels",
        "fixed - fresh-label probe >= 10 points; fresh-label probe - initialization <= 0",
        (CIFAR,),
        "random and fresh labels under one recipe, at equal seeds and steps",
        ("benign",),
    ),
    Criterion(
        5,
        "signal sits in the encoder",
        "true-label probe: best encoder layer - best other layer > 0; logits <= best - 15 points",
        (CIFAR,),
        "layers of random labels under a recipe",
        ("layers",),
    ),
    Criterion(
        6,
        "noise sits last",
        "random-label leave-one-out in the last encoder layer <= chance + 5 points with and >= chance + 40 points "
        "without augmentation; logits >= .95",
        (CIFAR,),
        "layers of random labels under a recipe and without",
        ("layers",),
    ),
    Criterion(
        7,
        "malign memorization is infeasible under augmentation",
        "pool accuracy, a random label for each view: >= .99 at .5 bits per parameter; < .7 at 4, where doubling the "
        "visits adds < 5 points",
        (TINY,),
        "capacity with random labels for each view at .5 and at 4 bits per parameter",
        ("capacity",),
    ),
    Criterion(
        8,
        "shared labels still fit",
        "accuracy(same) - accuracy(random) >= 20 points on the pool of claim 7 at 4 bits per parameter",
        (TINY,),
        "capacity in both label modes at 4 bits per parameter",
        ("capacity",),
    ),
    Criterion(
        9,
        "the probe grows with B",
        "probe(infinite) - probe(1) at equal steps >= 5 points; Spearman of probe and B >= .8",
        (CIFAR,),
        "random labels on pools of at least four sizes B, 1 and infinite among them",
        ("benign",),
    ),
    Criterion(
        10,
        "capacity scales with parameters",
        "slope of log samples fitted to 99 % against log parameters: interval within [.8, 1.2]",
        (TINY,),
        "capacity with --frontier over at least 6 sizes",
        ("capacity",),
    ),
    Criterion(
        11,
        "diversity trades memorization for features",
        "Spearman of strength and steps to 90 % >= .9; an interior strength whose probe is >= 2 points above the "
        "strongest and above the weakest",
        (CIFAR,),
        "diversity over at least 4 strengths",
        ("diversity",),
    ),
    Criterion(
        12,
        "ideal augmentations beat real ones",
        "same-class - full probe >= 3 points",
        (CIFAR,),
        "ideal with --augment benign-full",
        ("ideal",),
    ),
    Criterion(
        13,
        "invariance is learnt",
        "encoder invariance and view retrieval over initialization: both >= .1 with, both <= .05 without augmentation",
        (CIFAR,),
        "invariance of random labels under a recipe and without",
        ("invariance",),
    ),
    Criterion(
        14,
        "robust to conventions",
        "paired probe difference of claim 3 positive in all of MSE/CE x batch/group norm x label classes 2, 10, N",
        (CIFAR,),
        "the pairs of claim 3 in all twelve combinations",
        ("benign",),
    ),
)
