"""Fixed texts of the page: how to read each figure, the glossary, the sources. Plain text, escaped where "
"it is used."""

from __future__ import annotations

VERDICTS: dict[str, str] = {
    "benign": (
        "Learnt by heart, and harmlessly: the labels are memorized, and the encoder tells true classes "
        "apart at least 5 points better than both raw pixels and the untrained network."
    ),
    "malign": (
        "Learnt by heart and nothing besides: the labels are memorized, and the gain of the encoder over "
        "raw pixels and the untrained network stays below 5 points."
    ),
    "undecided": "The labels are memorized, but the interval of the gain does not settle whether it reaches 5 points.",
    "not memorized": "The network did not come to know its labels by heart, so the question does not arise.",
    "mixed": "The seeds do not agree on a verdict.",
}

HOW_TO_READ: dict[str, str] = {
    "views": (
        "Each row is one training image. On the left: the label the network was given, drawn by lot, and "
        "the class the image really has. Then the image itself, then views of it as the network sees them "
        "in training. A view is never stored: it is computed anew from the numbers (seed, image, view)."
    ),
    "curves": (
        "From left to right the training goes on. The orange line is the share of training images to "
        "which the network gives their random label: at 100 % it knows the list by heart. The dashed "
        "orange line is the same on views it has never been trained on. The blue line is the probe: can "
        "true classes, which the network was never told, be read from its encoder? It counts as learning "
        "only where it rises above both grey lines: what raw pixels allow, and what the untrained network "
        "allowed."
    ),
    "controls": (
        "Each row is one condition; all of them start from the same kind of network and make the same "
        "number of updates, unless said otherwise. The open circle is the probe before training, the "
        "filled one after it; the pale bar around it is the 95 % interval of the gain (between seeds "
        "where there are three or more, ticks mark single seeds). “Fresh” labels are drawn anew at every "
        "visit, so there is nothing to memorize: they show what the updates do by themselves. “True” "
        "labels show what ordinary training reaches."
    ),
    "probe": (
        "On the right, the same probe followed along training for every condition. Full lines are with "
        "augmentation, dashed lines without (plain). Compare lines at the same place of the horizontal "
        "axis: there the networks have made equally many updates."
    ),
    "layers": (
        "From left to right the image passes through the network. Grey circles: how well true classes can "
        "be told from that layer before training; blue: after it. The shaded part is the projector, the "
        "last layers, which produce the answer. If the blue line stands high in the encoder and falls in "
        "the projector, then what was learnt about the images sits early, and the list learnt by heart "
        "sits last."
    ),
    "capacity": (
        "For every image a fixed pool of B views is made, and the network is asked about exactly those. "
        "Blue: all views of an image share its label, so the list does not grow. Orange: every single "
        "view has a random label of its own, so the list grows with B. Where the orange line falls, the "
        "network is full. Open circles are budget-limited: training longer would still have helped, so "
        "they are a lower bound."
    ),
    "bits": (
        "How much label information the network holds, divided by its number of parameters (from the "
        "accuracy, by Fano's inequality). The dashed grey line is what perfect memory of every view's own "
        "label would take. Where the orange line leaves it, the capacity is reached."
    ),
}

GLOSSARY: tuple[tuple[str, str], ...] = (
    (
        "random labels",
        "Each training image gets one class drawn by lot, independent of what it shows. A tenth of them "
        "(with ten classes) are right by accident. There is nothing to understand, so being right means "
        "knowing the list by heart.",
    ),
    (
        "augmentation, view",
        "Showing, instead of an image, a randomly shifted, cropped, turned or recoloured version of it: a "
        "view. The set of changes and their strengths is called a recipe. “none” is no augmentation.",
    ),
    (
        "memorized",
        "At least 99 % of the training images, unchanged, get the label they were given. Memorized with "
        "its views: at least 95 % of new views do so, too.",
    ),
    (
        "clean / fresh views / running accuracy",
        "Training accuracy measured on the unchanged images; on views never trained on; and, running, on "
        "the batches while they are being learnt.",
    ),
    (
        "fresh labels",
        "A control: a new random label at every single visit of an image. Same images, same number of "
        "updates, nothing to memorize.",
    ),
    (
        "probe",
        "A test of what a layer sees, without training anything: a test image is given the class that "
        "most of its k nearest neighbours among the training images have, by their true labels, nearness "
        "being measured in that layer; k is 20 unless said otherwise. On raw pixels the same vote is the "
        "line that every claim of learning must pass.",
    ),
    (
        "gain",
        "Probe of the encoder after training, minus the better of the probe before training and the probe "
        "on raw pixels. In points: from 70 % to 75 % is 5 points.",
    ),
    ("benign / malign", "The verdict: " + VERDICTS["benign"] + " Malign: " + VERDICTS["malign"]),
    (
        "encoder, projector",
        "The two parts of the network. The encoder turns an image into a list of numbers, its embedding; "
        "the projector, the last two layers, turns that into scores of the classes, the logits.",
    ),
    (
        "pool, B",
        "B views of each of N images, fixed once: N × B pictures on which the capacity is measured exactly.",
    ),
    (
        "bits",
        "A label among ten classes, drawn by lot, takes log₂ 10 = 3.32 bits to write down. Bits per "
        "parameter: label information held by the network, divided by the number of its adjustable "
        "numbers.",
    ),
    (
        "seed, interval",
        "A seed fixes everything drawn by lot. Runs that differ only in their seeds tell how far chance "
        "goes; a 95 % interval is the range in which the true value plausibly lies.",
    ),
)

SOURCES: tuple[tuple[str, str], ...] = (
    (
        "S. Anagnostidis and others: The Curious Case of Benign Memorization (ICLR 2023)",
        "arXiv 2210.14019: networks that memorize random labels under augmentation still learn useful features.",
    ),
    (
        "D. Arpit and others: A Closer Look at Memorization in Deep Networks (ICML 2017)",
        "arXiv 1706.05394: how learning noise differs from learning patterns.",
    ),
)

LEFT_OUT: dict[str, str] = {
    "with": "a run with random labels and with augmentation",
    "without": "a run with random labels and without augmentation, to compare with",
    "controls": "runs with true labels or with fresh labels, the controls",
    "views": "sample views (views.npz in a run folder)",
    "curves": "measurements along training (metrics.jsonl)",
    "layers": "the probe by layer",
    "capacity": "a capacity run",
}
