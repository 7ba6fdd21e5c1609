"""albumentations' functions and the OpenCV calls behind them, on byte images in HWC."""

from __future__ import annotations

import numpy as np
import torch


def render(name: str, images: torch.Tensor, rows: list[dict], size: tuple[int, int]) -> torch.Tensor | None:
    """float [N, C, h, w] in [0, 1] under one dict of parameters per image; None where it has no such operation."""
    import albumentations as A
    import albumentations.augmentations.pixel.functional as P
    import cv2

    def crop(x: np.ndarray, p: dict) -> np.ndarray:
        window = x[p["top"] : p["top"] + p["height"], p["left"] : p["left"] + p["width"]]
        return cv2.resize(np.ascontiguousarray(window), size[::-1], interpolation=cv2.INTER_LINEAR)

    def padded(x: np.ndarray, p: dict) -> np.ndarray:
        x = cv2.copyMakeBorder(x, 4, 4, 4, 4, cv2.BORDER_REFLECT_101)
        return x[p["top"] : p["top"] + size[0], p["left"] : p["left"] + size[1]]

    def rotate(x: np.ndarray, p: dict) -> np.ndarray:
        height, width = x.shape[:2]
        matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), p["angle"], 1.0)
        return cv2.warpAffine(x, matrix, (width, height), flags=cv2.INTER_LINEAR)

    always = {
        "blur 3 x 3": lambda p: A.GaussianBlur((3, 3), (p["sigma"], p["sigma"]), p=1.0),
        "grey": lambda p: A.ToGray(p=1.0),
        "posterize to 4 bits": lambda p: A.Posterize((4, 4), p=1.0),
        "solarize": lambda p: A.Solarize((0.5, 0.5), p=1.0),
        "auto-contrast": lambda p: A.AutoContrast(method="pil", p=1.0),
        "equalize": lambda p: A.Equalize(mode="pil", p=1.0),
    }
    functions = {
        "flip": lambda x, p: x[:, ::-1] if p["applied"] else x,
        "reflect-padded crop": padded,
        "resized crop": crop,
        "resized crop to half the size": crop,
        "rotation, bilinear": rotate,
        "brightness": lambda x, p: P.adjust_brightness_torchvision(x, p["brightness"]),
        "contrast": lambda x, p: P.adjust_contrast_torchvision(x, p["contrast"]),
        "saturation": lambda x, p: P.adjust_saturation_torchvision(x, p["saturation"]),
        "hue": lambda x, p: P.adjust_hue_torchvision(x, p["hue"]),
        **{key: lambda x, p, make=make: make(p)(image=x)["image"] for key, make in always.items()},
    }
    if name not in functions:
        return None
    sources = images.permute(0, 2, 3, 1).contiguous().numpy()
    views = [np.ascontiguousarray(functions[name](x, p)) for x, p in zip(sources, rows, strict=True)]
    return torch.from_numpy(np.stack(views)).permute(0, 3, 1, 2).float() / 255
