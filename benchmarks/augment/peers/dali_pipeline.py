"""NVIDIA DALI's CPU pipeline, fed with the bank's bytes, without prefetching, so that a run does its own work.

Colours are one matrix per image without clamps between them, contrast is around 0.5, hue turns in YIQ, grey weighs
0.299, 0.587, 0.114. Padded crops fill with zeros, for its slices cannot reflect. It writes float16 where bfloat16 is
asked for.
"""

from __future__ import annotations

import torch

from benchmarks.augment.chain import MEAN, STD, Chain


def render_dali(chain: Chain, bank: torch.Tensor, ids: torch.Tensor):
    """The whole chain as one pipeline of torch's number of threads."""
    if bank.device.type != "cpu":
        return None
    try:
        from nvidia.dali import fn, math, pipeline_def, types
    except ImportError:
        return None
    height, width = chain.view_size(bank)
    source = bank.permute(0, 2, 3, 1).contiguous().numpy()  # DALI reads HWC
    batch = [source[i] for i in ids.tolist()]

    def coin(p: float):
        return fn.random.coin_flip(probability=p)

    def colours(x):
        on, grey = coin(chain.jitter_p), coin(chain.grey)
        brightness, contrast, saturation, hue = chain.jitter

        def factor(reach: float, neutral: float):
            return on * fn.random.uniform(range=(neutral - reach, neutral + reach)) + (1 - on) * neutral

        return fn.color_twist(
            x,
            brightness=factor(brightness, 1.0),
            contrast=factor(contrast, 1.0),
            saturation=factor(saturation, 1.0) * (1 - grey),
            hue=factor(360 * hue, 0.0),
        )

    @pipeline_def(
        batch_size=len(batch),
        num_threads=torch.get_num_threads(),
        device_id=None,
        exec_pipelined=False,
        exec_async=False,
        prefetch_queue_depth=1,
        enable_conditionals=True,
        seed=0,
    )
    def pipeline():
        x = fn.external_source(source=lambda: batch, layout="HWC", no_copy=True)
        if chain.crop == "resized":
            x = fn.random_resized_crop(x, size=(height, width), random_area=(0.08, 1.0))
        else:
            reach = chain.padding
            start = math.floor(fn.random.uniform(range=(-reach, reach + 1), shape=[2]))  # whole pixels
            x = fn.slice(
                x,
                fn.cast(start, dtype=types.INT32),
                (height, width),
                axes=(0, 1),
                out_of_bounds_policy="pad",
                fill_values=0,
            )
        if chain.jitter:
            x = colours(x)
        if chain.blur:
            if coin(chain.blur):
                x = fn.gaussian_blur(
                    x, window_size=chain.blur_kernel, sigma=fn.random.uniform(range=(0.1, 2.0)), dtype=types.UINT8
                )
            else:
                x = fn.copy(x)
        return fn.crop_mirror_normalize(
            x,
            mirror=coin(0.5),
            mean=[255 * v for v in MEAN],
            std=[255 * v for v in STD],
            dtype=types.FLOAT if chain.dtype == torch.float32 else types.FLOAT16,
            output_layout="HWC" if chain.channels_last else "CHW",
        )

    built = pipeline()
    built.build()
    return built.run
