"""Colour operations by torchvision v2."""

from __future__ import annotations


def _jitter(F, operation, x, p, size):
    if not p["applied"]:
        return x
    steps = (
        (F.adjust_brightness, p["brightness"], 1.0),
        (F.adjust_contrast, p["contrast"], 1.0),
        (F.adjust_saturation, p["saturation"], 1.0),
        (F.adjust_hue, p["hue"], 0.0),
    )
    for which in p["order"]:
        adjust, factor, neutral = steps[which]
        if factor != neutral:  # torchvision.transforms.v2.ColorJitter leaves out what has no range
            x = adjust(x, factor)
    return x


def _grayscale(F, operation, x, p, size):
    return F.rgb_to_grayscale(x, num_output_channels=len(x)) if p["applied"] else x


def _normalize(F, operation, x, p, size):
    return F.normalize(x, list(operation.mean[: len(x)]), list(operation.std[: len(x)]))


APPLY = {"color_jitter": _jitter, "grayscale": _grayscale, "normalize": _normalize}
