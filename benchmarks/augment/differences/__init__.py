"""How far the pixels of other libraries lie from ours, operation by operation, under our own drawn parameters.

    python -m benchmarks.augment.differences [--root FOLDER_OF_CIFAR10] [--images 256]

Each library renders the same images with the same parameters through its own functions; the table gives the largest and
the mean absolute difference in grey levels (1/255).
"""

from __future__ import annotations
