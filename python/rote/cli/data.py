"""`rote data`: describe, check and convert data sets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from rote.cli.options import parse
from rote.data import DataError, ImageBank, load
from rote.data.export import write_folder, write_npz
from rote.data.folder import load_folder
from rote.data.load import height_width
from rote.data.summary import channel_statistics, class_counts, repeats


@dataclass(frozen=True, kw_only=True)
class DataSource:
    """Which data set, and where it lies."""

    data: tyro.conf.Positional[str]
    """digits, cifar10 or folder."""
    root: Path | None = None
    """Where the data lies (cifar10, folder)."""
    size: int | tuple[int, int] | None = None
    """Resize to this many pixels: S, or H W (folder)."""
    cache_dir: Path | None = None
    """Where decoded pictures are kept (folder); the user's cache directory by default."""

    decoder: Literal["auto", "pillow", "dali"] = "auto"
    """Who decodes pictures (folder); auto is DALI where it is installed, Pillow otherwise."""

    def load(self) -> ImageBank:
        return load(self.data, self.root, size=self.size, cache_dir=self.cache_dir, decoder=self.decoder)


@dataclass(frozen=True)
class Describe(DataSource):
    """Print counts, sizes, channel statistics and the fingerprint of a data set."""

    def run(self) -> int:
        print(describe(self.load()))
        return 0


@dataclass(frozen=True)
class Check(DataSource):
    """Read every file anew, past the cache, and look for damage and repeated pictures. Exit status 1 on damage."""

    def run(self) -> int:
        try:
            bank = self._read_anew()
        except (DataError, FileNotFoundError) as error:
            print(f"{self.data} cannot be used: {error}")
            return 1
        found = repeats(bank)
        print(f"{bank.name}: {len(bank.train)} train and {len(bank.test)} test pictures, all readable")
        print(f"repeated within train     {found.within_train} (under another label: {found.contradictions})")
        print(f"test pictures in train    {found.test_in_train}")
        print(f"fingerprint               {bank.fingerprint()}")
        return 0

    def _read_anew(self) -> ImageBank:
        if self.data == "folder" and self.root is not None:
            return load_folder(self.root, size=height_width(self.size), use_cache=False, decoder=self.decoder)
        return self.load()


@dataclass(frozen=True, kw_only=True)
class Convert(DataSource):
    """Write a data set as one .npz file, or as a folder of PNG files that `folder` reads."""

    out: tyro.conf.Positional[Path]
    """A path that ends in .npz, or a folder to make. Nothing is overwritten."""

    def run(self) -> int:
        bank = self.load()
        (write_npz if self.out.suffix == ".npz" else write_folder)(bank, self.out)
        print(self.out)
        return 0


DataCommand = (
    Annotated[Describe, tyro.conf.subcommand("describe")]
    | Annotated[Check, tyro.conf.subcommand("check")]
    | Annotated[Convert, tyro.conf.subcommand("convert")]
)


def run(arguments: Sequence[str]) -> int:
    """Runs one command on a data set."""
    command = parse(DataCommand, arguments, prog="rote data", description="Describe, check and convert data sets.")
    return command.run()


def describe(bank: ImageBank) -> str:
    """A few aligned lines about a bank, for people."""
    height, width = bank.image_size
    lines = [
        ("name", bank.name),
        ("pictures", f"{len(bank.train)} train, {len(bank.test)} test"),
        ("pixels", f"{height} x {width}, {bank.channels} channel{'s' if bank.channels > 1 else ''}, uint8"),
        ("classes", f"{bank.num_classes}"),
    ]
    train, test = (class_counts(split, bank.num_classes) for split in (bank.train, bank.test))
    lines += [(f"  {name}", f"{a} train, {b} test") for name, a, b in zip(bank.classes, train, test, strict=True)]
    mean, deviation = channel_statistics(bank.train)
    lines += [
        ("channel mean", " ".join(f"{value:.4f}" for value in mean) + "  (train, 0 to 1)"),
        ("channel deviation", " ".join(f"{value:.4f}" for value in deviation)),
        ("fingerprint", bank.fingerprint()),
        *((key, _plain(value)) for key, value in bank.source.items()),
    ]
    width = max(len(key) for key, _ in lines)
    return "\n".join(f"{key:{width}}  {value}" for key, value in lines)


def _plain(value: object) -> object:
    """A dictionary as words, everything else as it is."""
    return ", ".join(f"{key} {fact}" for key, fact in value.items()) if isinstance(value, dict) else value
