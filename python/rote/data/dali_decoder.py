"""Pictures decoded and resized by NVIDIA DALI, on the GPU where there is one.

DALI gets the files whose pixels mean the same to it as to `rote.data.picture`: JPEG, and PNG of up to 8 bits without
transparency. All others (16 bits, alpha, transparent colours), and files that DALI refuses, go to Pillow, so that the
rules and the errors are the same whoever decodes. How many went there stands in the sheet.
"""

from __future__ import annotations

import io
import threading
import warnings
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch

from rote.data.dali_pipeline import build_pipeline, codec_versions, import_dali
from rote.data.decoder import Decoder
from rote.data.decoding import Sheet, Size
from rote.data.picture import RULES_VERSION, pillow_versions

#: Pictures of one batch at most, and bytes of their files: decoded, a batch takes ten to twenty times as much.
BATCH, BATCH_BYTES = 256, 1 << 25
#: Batches read ahead of the one being decoded.
AHEAD = 2
#: From here on the number of pixels is looked at: Pillow refuses more than 179 million as an attack on memory, and
#: JPEG needs a megabyte for as many.
LARGE_JPEG, MANY_PIXELS = 1 << 20, 1 << 24

_JPEG, _PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
_END_OF_JPEG = b"\xff\xd9"
_SIDES, _BIT_DEPTH, _COLOUR = (16, 20), 24, 25  # bytes of a PNG file; its header always comes first
_GREY, _RGB, _PALETTE = 0, 2, 3


class DaliDecoder(Decoder):
    """Decodes by batches: threads read files ahead, DALI decodes and resizes what they read.

    Raises:
        ModuleNotFoundError: DALI or Pillow is not installed.
        ImportError: DALI is installed and cannot be loaded.
    """

    def __init__(self) -> None:
        dali = import_dali()
        pillow, jpeg = pillow_versions()
        self.device_id = torch.cuda.current_device() if torch.cuda.is_available() else None
        self.facts = {
            "name": "dali",
            "version": dali.__version__,
            "device": "cpu" if self.device_id is None else torch.cuda.get_device_name(self.device_id),
            **codec_versions(on_gpu=self.device_id is not None),
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
        if not encoded.rows:
            return
        if sheet.size not in self._pipelines:
            self._pipelines[sheet.size] = build_pipeline(sheet.size, self.device_id, BATCH)
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
        return _END_OF_JPEG in content and (len(content) < LARGE_JPEG or not _too_large(content))
    if not content.startswith(_PNG) or len(content) <= _COLOUR:
        return False
    if content[_BIT_DEPTH] > 8 or content[_COLOUR] not in (_GREY, _RGB, _PALETTE):
        return False
    if content.find(b"tRNS", 0, content.find(b"IDAT")) >= 0:
        return False
    width, height = (int.from_bytes(content[at : at + 4], "big") for at in _SIDES)
    return width * height < MANY_PIXELS or not _too_large(content)


def _too_large(content: bytes) -> bool:
    """Whether Pillow refuses a picture of so many pixels, or its header: Pillow then says so."""
    from PIL import Image

    try:
        Image.open(io.BytesIO(content), formats=("JPEG", "PNG")).close()
    except Exception:  # damage shows as almost anything
        return True
    return False
