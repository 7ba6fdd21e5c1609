"""What NVIDIA DALI is asked to do: decode a batch of files, on the GPU where there is one, and resize it."""

from __future__ import annotations

import importlib.metadata

from rote.data.decoder import num_threads
from rote.data.decoding import Size


def build_pipeline(size: Size | None, device_id: int | None, batch: int):
    """Up to `batch` files, fed as "files", to uint8 [H, W, 3]: upright, scaled to cover `size`, the middle cut out.

    Args:
        size: (H, W), or None for every picture's own.
        device_id: of the GPU, or None for the CPU.
        batch: pictures at a time.
    """
    from nvidia.dali import Pipeline, fn, types

    pipeline = Pipeline(
        batch_size=batch,
        num_threads=num_threads(),
        device_id=device_id,
        exec_pipelined=False,  # reading ahead is done by threads of our own
        exec_async=False,
        prefetch_queue_depth=1,
    )
    with pipeline:
        files = fn.external_source(name="files", batch=True, dtype=types.UINT8, ndim=1)
        x = fn.decoders.image(
            files,
            device="cpu" if device_id is None else "mixed",
            output_type=types.RGB,
            jpeg_fancy_upsampling=True,  # libjpeg's own way to enlarge the colour planes, hence Pillow's
            hw_decoder_load=0.0,  # else the batch decides which of two engines decodes a picture, hence its pixels
        )
        if size is not None:
            stored = fn.peek_image_shape(files, dtype=types.FLOAT)[0:2]
            wanted = types.Constant([float(side) for side in size], dtype=types.FLOAT)
            extent = wanted * fn.reductions.min(stored / wanted)
            start = (stored - extent) * 0.5
            # The triangular filter widens as it shrinks, as Pillow's "bilinear" does.
            x = fn.resize(
                x, size=list(size), roi_start=start, roi_end=start + extent, interp_type=types.INTERP_TRIANGULAR
            )
        pipeline.set_outputs(x)
    pipeline.build()
    return pipeline


def import_dali():
    """The package `nvidia.dali`; ModuleNotFoundError names the extra that brings it."""
    try:
        import nvidia.dali as dali
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "decoder 'dali' wants NVIDIA DALI, which is not installed: pip install 'rote[dali]'"
        ) from error
    return dali


def codec_versions(*, on_gpu: bool) -> dict[str, str]:
    """The versions of what decodes for DALI, distributions of their own: nvImageCodec, and nvJPEG on the GPU."""
    found = {}
    for library in ("nvimgcodec", "nvjpeg") if on_gpu else ("nvimgcodec",):
        for ending in ("", "-cu13", "-cu12"):  # the version of CUDA they were built for
            try:
                found[library] = importlib.metadata.version(f"nvidia-{library}{ending}")
            except importlib.metadata.PackageNotFoundError:
                continue
    return found
