"""What each operation does to a view, in words and with its numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

from rote.augment.operation import Operation, Size

__all__ = ["words"]

Words = Callable[[Any, "Size | None", "Size | None"], str]
_WORDS: dict[str, Words] = {}


def words(operation: Operation, image: Size | None, target: Size | None) -> str:
    """One line; `image` is the size it acts on and `target` the one the recipe ends at, where they are known.

    An operation without words of its own shows its fields.
    """
    p = getattr(operation, "p", 1.0)
    chance = "" if p == 1.0 else f", with probability {p:g}"
    return _WORDS.get(operation.kind, _fields)(operation, image, target) + chance


def _fields(o: Operation, image: Size | None, target: Size | None) -> str:
    return ", ".join(f"{f.name} {_value(getattr(o, f.name))}" for f in fields(o) if f.name != "p") or "always"


def _of(kind: str) -> Callable[[Words], Words]:
    def register(function: Words) -> Words:
        _WORDS[kind] = function
        return function

    return register


def _plainly(kind: str, text: str) -> None:
    _WORDS[kind] = lambda operation, image, target: text


# Geometry ------------------------------------------------------------------------------------------------------------

_plainly("horizontal_flip", "left and right swapped")
_plainly("vertical_flip", "top and bottom swapped")
_plainly("alternating_flip", "left and right swapped at every other view, a coin of the image decides at which")


@_of("random_resized_crop")
def _random_resized_crop(o, image, target):
    low, high = o.scale
    area = f"{low:.0%} to {high:.0%} of the area"
    if image is not None:
        pixels = image[0] * image[1]
        area += f" ({low * pixels:.0f} to {high * pixels:.0f} of {pixels} pixels)"
    return f"a window of {area}, width / height {_range(o.ratio)}, resized to {_end(target)}, {_filter(o)}"


@_of("resize")
def _resize(o, image, target):
    if image is not None:
        return f"the whole image resized to {_size(o.output_size(image, target))}, {_filter(o)}"
    to = f"{o.size} pixels on the shorter side" if isinstance(o.size, int) else _end(o.size or target)
    return f"the whole image resized to {to}, {_filter(o)}"


@_of("center_crop")
def _center_crop(o, image, target):
    return f"the central {_end(o.size or target)}"


@_of("random_crop")
def _random_crop(o, image, target):
    fill = f" with {o.fill:g}" if o.padding_mode == "constant" else ""
    padded = f"padded by {o.padding} pixels ({o.padding_mode}{fill}), then a window"
    if image is None or target is None:
        return padded + " anywhere"
    rows, columns = (have + 2 * o.padding - want + 1 for have, want in zip(image, target, strict=True))
    return f"{padded} of {_size(target)} at one of {rows} x {columns} places"


@_of("random_affine")
def _random_affine(o, image, target):
    parts = [f"turned by {_range(o.degrees)} degrees"]
    if o.translate and any(o.translate):
        a, b = o.translate
        if image is None:
            parts.append(f"moved by up to {a:.3g} of the width and {b:.3g} of the height")
        else:
            parts.append(f"moved by up to {round(a * image[1])} pixels in x and {round(b * image[0])} in y")
    if o.scale and tuple(o.scale) != (1.0, 1.0):
        parts.append(f"scaled by {_range(o.scale)}")
    if o.shear and any(o.shear):
        parts.append(f"sheared by {_range(o.shear[:2])} and {_range(o.shear[2:])} degrees")
    return f"{', '.join(parts)}, {o.interpolation}, outside {o.fill:g}"


@_of("random_rotation")
def _random_rotation(o, image, target):
    return f"turned by {_range(o.degrees)} degrees, {o.interpolation}, outside {o.fill:g}"


# Colour and tone -----------------------------------------------------------------------------------------------------

_plainly("grayscale", "all channels 0.2989 R + 0.587 G + 0.114 B")
_plainly("invert", "1 - x")
_plainly("auto_contrast", "each channel stretched to [0, 1]")
_plainly("equalize", "each channel's histogram made flat")


@_of("color_jitter")
def _color_jitter(o, image, target):
    factors = ("brightness", "contrast", "saturation")
    parts = [f"{name} x {_range(getattr(o, name))}" for name in factors if getattr(o, name) != (1.0, 1.0)]
    if o.hue != (0.0, 0.0):
        parts.append(f"hue + {_range(o.hue)} turns")
    return f"{', '.join(parts) or 'nothing'}, in random order"


@_of("normalize")
def _normalize(o, image, target):
    one = len({*o.mean}) == len({*o.std}) == 1
    mean, std = (v[0] if one else v for v in (o.mean, o.std))
    return f"(x - {_value(mean)}) / {_value(std)}"


@_of("gaussian_blur")
def _gaussian_blur(o, image, target):
    kernel = o.kernel_size if isinstance(o.kernel_size, tuple) else (o.kernel_size, o.kernel_size)
    return f"blurred by a Gaussian of sigma {_range(o.sigma)} pixels, kernel {kernel[0]} x {kernel[1]}"


@_of("sharpness")
def _sharpness(o, image, target):
    return f"sharpness x {_range(o.factor)}"


@_of("solarize")
def _solarize(o, image, target):
    return f"1 - x where x >= {o.threshold:g}"


@_of("posterize")
def _posterize(o, image, target):
    return f"{o.bits} bits a channel"


@_of("rand_augment")
def _rand_augment(o, image, target):
    number = f"{o.num_ops} operation{'s' * (o.num_ops > 1)}"
    return f"{number} out of {len(o.operations)} at magnitude {o.magnitude} of {o.num_magnitude_bins - 1}"


# Boxes, noise, mixing ------------------------------------------------------------------------------------------------


@_of("random_erasing")
def _random_erasing(o, image, target):
    by = "noise" if o.value == "random" else _values(o.value)
    area = f"{o.scale[0]:.0%} to {o.scale[1]:.0%} of the area"
    return f"a box of {area}, height / width {_range(o.ratio)}, replaced by {by}"


@_of("cutout")
def _cutout(o, image, target):
    where = "inside the image" if o.inside else "about any pixel, cut at the border"
    return f"a box of {_size(o.size)} {where} replaced by {_values(o.value)}"


@_of("gaussian_noise")
def _gaussian_noise(o, image, target):
    mean = f"{o.mean:g} + " if o.mean else ""
    return f"x + {mean}{o.sigma:g} z, z standard normal{', clamped to [0, 1]' if o.clip else ''}"


@_of("mixup")
def _mixup(o, image, target):
    return f"w x + (1 - w) partner, w from Beta({o.alpha:g}, {o.alpha:g}){_labels(o)}"


@_of("cutmix")
def _cutmix(o, image, target):
    return f"a box of the partner, its area 1 - w of the image, w from Beta({o.alpha:g}, {o.alpha:g}){_labels(o)}"


# Numbers -------------------------------------------------------------------------------------------------------------


def _labels(o) -> str:
    return ", labels alike" if o.mix_labels else ", labels as they are"


def _filter(o) -> str:
    return o.interpolation + ("" if o.antialias or o.interpolation == "nearest" else " without antialias")


def _end(size: Size | None) -> str:
    return "the recipe's size" if size is None else _size(size)


def _size(size: Size) -> str:
    return f"{size[0]} x {size[1]}"


def _range(pair: tuple[float, ...]) -> str:
    return f"{pair[0]:.4g}" if pair[0] == pair[1] else f"{pair[0]:.4g} to {pair[1]:.4g}"


def _values(values: tuple[float, ...]) -> str:
    return _value(values[0] if len({*values}) == 1 else values)


def _value(value: Any) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(map(_value, value))})"
    return f"{value:g}" if isinstance(value, float) else str(value)
