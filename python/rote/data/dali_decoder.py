"""Pictures decoded and resized by NVIDIA DALI, on the GPU where there is one.

DALI gets the files whose pixels mean the same to it as to `rote.data.picture`: JPEG, and PNG of up to 8 bits without
transparency. All others (16 bits, alpha, transparent colours), and files that DALI refuses, go to Pillow, so that the
rules and the errors are the same whoever decodes. How many went there stands in the sheet.
"""

from __future__ import annotations

import importlib.metadata
import threading
import warnings
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch

from rote.data.decoder import Decoder, num_threads
from rote.data.decoding import Sheet, Size
from rote.data.picture import RULES_VERSION, pillow_versions

#: Pictures of one batch at most, and bytes of their files: decoded, a batch takes ten to twenty times as much.
BATCH, BATCH_BYTES = 256, 1 << 25
#: Batches read ahead of the one being decoded.
AHEAD = 2

_JPEG, _PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
_END_OF_JPEG = b"\xff\xd9"
_BIT_DEPTH, _COLOUR = 24, 25  # bytes of a PNG file; its header always comes first
_GREY, _RGB, _PALETTE = 0, 2, 3


class DaliDecoder(Decoder):
    """Decodes by batches: threads read files ahead, DALI decodes and resizes what they read.

    Raises:
        ModuleNotFoundError: DALI or Pillow is not installed.
        ImportError: DALI is installed and cannot be loaded.
    """

    def __init__(self) -> None:
        dali = _dali()
        pillow, jpeg = pillow_versions()
        self.device_id = torch.cuda.current_device() if torch.cuda.is_available() else None
        on_gpu = self.device_id is not None
        self.facts = {
            "name": "dali",
            "version": dali.__version__,
            "device": torch.cuda.get_device_name(self.device_id) if on_gpu else "cpu",
            "codecs": _codecs_version(),
            "rules": RULES_VERSION,
            "pillow": pillow,  # reads what DALI does not
            "jpeg": jpeg,
        }
        self._pipelines: dict[Size | None, object] = {}
        self._one_batch = threading.Lock()  # a pipeline holds the files of one batch at a time

    def fill(self, sheet: Sheet) -> Iterator[int]:
        rows = batches(sheet)
        pool = ThreadPoolExecutor(AHEAD)
        try:
            pending = deque(pool.submit(_read, sheet, batch) for batch in rows[:AHEAD])
            for number, batch in enumerate(rows):
                encoded = pending.popleft().result()
                if number + AHEAD < len(rows):
                    pending.append(pool.submit(_read, sheet, rows[number + AHEAD]))
                with self._one_batch:
                    self._put(sheet, encoded)
                yield len(batch)
        finally:
            pool.shutdown(cancel_futures=True)

    def _put(self, sheet: Sheet, encoded: _Encoded) -> None:
        """Decodes a batch; where DALI refuses one, each on its own, and what it refuses alone is left to Pillow."""
        if sheet.size not in self._pipelines:
            self._pipelines[sheet.size] = _pipeline(sheet.size, self.device_id)
        try:
            self._decode(sheet, encoded.rows, encoded.files)
        except RuntimeError as error:
            del self._pipelines[sheet.size]  # an error ends a pipeline
            if len(encoded.rows) > 1:
                for row, file in zip(encoded.rows, encoded.files, strict=True):
                    self._put(sheet, _Encoded([row], [file]))
            elif sheet.leave_to_pillow(encoded.rows[0]):
                reason = str(error).splitlines()[-1]
                warnings.warn(f"{sheet.path(encoded.rows[0])}: read by Pillow, DALI refused ({reason})", stacklevel=4)

    def _decode(self, sheet: Sheet, rows: list[int], files: list[np.ndarray]) -> None:
        if not rows:
            return
        pipeline = self._pipelines[sheet.size]
        pipeline.feed_input("files", files)
        (decoded,) = pipeline.run()
        if self.device_id is not None:
            decoded = decoded.as_cpu()
        if decoded.is_dense_tensor() and decoded.shape()[0][:2] == sheet.shape:
            pixels = np.asarray(decoded.as_tensor())
            sheet.images[rows] = pixels.transpose(0, 3, 1, 2)
            return
        for position, row in enumerate(rows):
            sheet.put(row, np.asarray(decoded[position]))


@dataclass
class _Encoded:
    """Rows of a sheet and the bytes of their files, uint8 [bytes] each."""

    rows: list[int]
    files: list[np.ndarray]


def batches(sheet: Sheet) -> list[range]:
    """The rows of a sheet cut into batches of at most BATCH pictures and, two pictures or more, BATCH_BYTES."""
    found, start, held = [], 0, 0
    for row, file in enumerate(sheet.files):
        if row - start == BATCH or (row > start and held + file.bytes > BATCH_BYTES):
            found.append(range(start, row))
            start, held = row, 0
        held += file.bytes
    return [*found, range(start, len(sheet))] if len(sheet) else []


def _read(sheet: Sheet, rows: range) -> _Encoded:
    """The files of a batch that are for DALI; all others are decoded at once."""
    encoded = _Encoded([], [])
    for row in rows:
        try:
            with open(f"{sheet.root}/{sheet.files[row].path}", "rb", buffering=0) as file:  # a third of read_bytes()
                content = file.read()
        except OSError:
            content = b""  # Pillow will say what is wrong
        if for_dali(content):
            encoded.rows.append(row)
            encoded.files.append(np.frombuffer(content, np.uint8))
        else:
            sheet.leave_to_pillow(row)
    return encoded


def for_dali(content: bytes) -> bool:
    """Whether DALI gives a file of this content the pixels that `rote.data.picture` says."""
    if content.startswith(_JPEG):
        return _END_OF_JPEG in content  # a truncated file is for Pillow to judge
    if not content.startswith(_PNG) or len(content) <= _COLOUR:
        return False
    if content[_BIT_DEPTH] > 8 or content[_COLOUR] not in (_GREY, _RGB, _PALETTE):
        return False
    return content.find(b"tRNS", 0, content.find(b"IDAT")) < 0


def _pipeline(size: Size | None, device_id: int | None):
    """Files to uint8 [H, W, 3]: decoded upright, scaled until `size` is covered, the middle cut out."""
    from nvidia.dali import Pipeline, fn, types

    pipeline = Pipeline(
        batch_size=BATCH,
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


def _dali():
    try:
        import nvidia.dali as dali
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "decoder 'dali' wants NVIDIA DALI, which is not installed: pip install 'rote[dali]'"
        ) from error
    return dali


def _codecs_version() -> str | None:
    """Of nvImageCodec, which decodes for DALI and is a distribution of its own, named by CUDA version."""
    for distribution in importlib.metadata.distributions():
        name = distribution.metadata["Name"] or ""
        if name.lower().startswith("nvidia-nvimgcodec"):
            return distribution.version
    return None
