"""NVIDIA DALI's CPU operators, one pipeline per operation, bytes in and floats out where the operator has them."""

from __future__ import annotations

import numpy as np
import torch


def render(name: str, images: torch.Tensor, rows: list[dict], size: tuple[int, int]) -> torch.Tensor | None:
    """float [N, C, h, w] in [0, 1] under one dict of parameters per image; None where it has no such operation."""
    from nvidia.dali import fn, pipeline_def, types

    count, (height, width) = len(images), images.shape[2:]
    sources = list(images.permute(0, 2, 3, 1).contiguous().numpy())

    def column(*fields: str, dtype=np.float32, scale: float = 1.0):
        values = [np.array([row[f] * scale for f in fields], dtype=dtype).squeeze() for row in rows]
        return fn.external_source(source=lambda: values, batch=True)

    def crop(x):
        x = fn.slice(x, column("top", "left", dtype=np.int32), column("height", "width", dtype=np.int32), axes=(0, 1))
        return fn.resize(x, size=size, interp_type=types.INTERP_LINEAR, antialias=True, dtype=types.FLOAT)

    def twist(field: str):
        scale = 360.0 if field == "hue" else 1.0
        return lambda x: fn.color_twist(x, dtype=types.FLOAT, **{field: column(field, scale=scale)})

    functions = {
        "flip": lambda x: fn.flip(x, horizontal=column("applied", dtype=np.int32)),
        "resized crop": crop,
        "resized crop to half the size": crop,
        "rotation, bilinear": lambda x: fn.rotate(
            x, angle=column("angle"), size=(height, width), fill_value=0, interp_type=types.INTERP_LINEAR
        ),
        **{field: twist(field) for field in ("brightness", "contrast", "saturation", "hue")},
        "grey": lambda x: fn.color_twist(x, saturation=0.0, dtype=types.FLOAT),
        "blur 3 x 3": lambda x: fn.gaussian_blur(x, window_size=3, sigma=column("sigma"), dtype=types.FLOAT),
    }
    if name not in functions:
        return None

    @pipeline_def(batch_size=count, num_threads=1, device_id=None)
    def pipeline():
        return functions[name](fn.external_source(source=lambda: sources, batch=True, layout="HWC"))

    built = pipeline()
    built.build()
    (views,) = built.run()
    stacked = np.stack([np.array(views.at(i)) for i in range(count)]).astype(np.float32)
    return (torch.from_numpy(stacked).permute(0, 3, 1, 2) / 255).clamp(0, 1)
