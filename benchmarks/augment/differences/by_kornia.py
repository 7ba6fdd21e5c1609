"""kornia's functions behind its augmentation modules, on float32 images."""

from __future__ import annotations

import math

import torch


def render(name: str, images: torch.Tensor, rows: list[dict], size: tuple[int, int]) -> torch.Tensor | None:
    """float [N, C, h, w] in [0, 1] under one dict of parameters per image; None where it has no such operation."""
    import kornia.color
    import kornia.enhance as E
    import kornia.filters
    import kornia.geometry.transform as T

    x = images.float() / 255

    def column(field: str) -> torch.Tensor:
        return torch.tensor([row[field] for row in rows])

    def crop() -> torch.Tensor:
        left, top, width, height = (column(f).float() for f in ("left", "top", "width", "height"))
        right, bottom = left + width - 1, top + height - 1
        corners = [torch.stack(v, -1) for v in ((left, top), (right, top), (right, bottom), (left, bottom))]
        # The mode of its modules, align_corners=True: the corners' centres stay in place, the scale is not out / in.
        return T.crop_and_resize(x, torch.stack(corners, 1), size, mode="bilinear", align_corners=True)

    functions = {
        "flip": lambda: torch.where(column("applied").view(-1, 1, 1, 1), x.flip(3), x),
        "resized crop": crop,
        "resized crop to half the size": crop,
        "rotation, bilinear": lambda: T.rotate(x, column("angle"), mode="bilinear", align_corners=True),
        "brightness": lambda: E.adjust_brightness_accumulative(x, column("brightness")),
        "contrast": lambda: E.adjust_contrast_with_mean_subtraction(x, column("contrast")),
        "saturation": lambda: E.adjust_saturation_with_gray_subtraction(x, column("saturation")),
        "hue": lambda: E.adjust_hue(x, column("hue") * 2 * math.pi),
        "grey": lambda: kornia.color.rgb_to_grayscale(x).expand(-1, 3, -1, -1),
        "blur 3 x 3": lambda: kornia.filters.gaussian_blur2d(x, (3, 3), column("sigma").view(-1, 1).expand(-1, 2)),
        "sharpness": lambda: E.sharpness(x, column("factor")),
        "solarize": lambda: E.solarize(x, 0.5),
        "posterize to 4 bits": lambda: E.posterize(x, 4),
        "equalize": lambda: E.equalize(x),
    }
    return functions[name]() if name in functions else None
