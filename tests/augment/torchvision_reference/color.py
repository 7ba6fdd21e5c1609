"""Colour operations by torchvision v2."""

from __future__ import annotations


def _jitter(F, operation, x, p, size):
    if not p["applied"]:
        return x
    steps = (
        lambda x: F.adjust_brightness(x, p["brightness"]),
        lambda x: F.adjust_contrast(x, p["contrast"]),
        lambda x: F.adjust_saturation(x, p["saturation"]),
        lambda x: F.adjust_hue(x, p["hue"]),
    )
    for which in p["order"]:
        x = steps[which](x)
    return x


def _grayscale(F, operation, x, p, size):
    return F.rgb_to_grayscale(x, num_output_channels=len(x)) if p["applied"] else x


def _normalize(F, operation, x, p, size):
    return F.normalize(x, list(operation.mean[: len(x)]), list(operation.std[: len(x)]))


APPLY = {"color_jitter": _jitter, "grayscale": _grayscale, "normalize": _normalize}
