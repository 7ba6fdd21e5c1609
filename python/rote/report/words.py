"""Fixed texts of the page: verdicts, the glossary, the sources. Plain text, escaped where it is used."""

from __future__ import annotations

VERDICTS: dict[str, str] = {
    "benign": (
        "Learnt by heart, and harmlessly: the labels are memorized, and the encoder tells true classes apart at least "
        "5 points better than both raw pixels and the untrained network (the interval of that gain lies above 0)."
    ),
    "malign": (
        "Learnt by heart and nothing besides: the labels are memorized, and the gain of the encoder over raw pixels "
        "and the untrained network lies below 5 points with its whole 95 % interval."
    ),
    "undecided": "The labels are memorized, but the interval of the gain does not settle whether it reaches 5 points.",
    "not memorized": "The network did not come to know its labels by heart, so the question does not arise.",
    "mixed": "The seeds do not agree on a verdict.",
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
    ("benign / malign", "Benign: " + VERDICTS["benign"] + " Malign: " + VERDICTS["malign"]),
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
        "C. Zhang and others: Understanding Deep Learning Requires Rethinking Generalization (ICLR 2017)",
        "arXiv 1611.03530: networks fit random labels and random images, and regularizers do not keep them from it.",
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
