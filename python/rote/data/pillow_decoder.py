"""Pictures decoded by Pillow, in threads."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from rote.data.decoder import Decoder, num_threads
from rote.data.decoding import Sheet
from rote.data.picture import RULES_VERSION, pillow_versions

#: Files a worker decodes before it reports: large enough to hide the hand-over, small enough for a smooth bar.
CHUNK = 32


class PillowDecoder(Decoder):
    """Every file by the rules of `rote.data.picture`.

    Raises:
        ModuleNotFoundError: Pillow is not installed.
    """

    def __init__(self) -> None:
        version, jpeg = pillow_versions()
        self.facts = {"name": "pillow", "version": version, "jpeg": jpeg, "rules": RULES_VERSION}

    def fill(self, sheet: Sheet) -> Iterator[int]:
        def decode_chunk(start: int) -> int:
            stop = min(start + CHUNK, len(sheet))
            for row in range(start, stop):
                sheet.read(row)
            return stop - start

        # Threads, because Pillow lets go of the interpreter while it decodes, and nothing needs to be copied back.
        pool = ThreadPoolExecutor(num_threads())
        try:
            yield from pool.map(decode_chunk, range(0, len(sheet), CHUNK))
        finally:
            pool.shutdown(cancel_futures=True)
