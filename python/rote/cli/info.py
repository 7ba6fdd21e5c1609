"""`rote info`: what this installation can do here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rote.cli.options import parse


@dataclass(frozen=True)
class InfoOptions:
    """Options of `rote info`."""

    json: bool = False
    """Print one JSON object."""


def run(arguments: Sequence[str]) -> int:
    """Prints versions, devices and instruction sets."""
    options = parse(
        InfoOptions,
        arguments,
        prog="rote info",
        description="Versions, device, instruction sets, what is compiled in.",
    )
    facts = collect()
    if options.json:
        import json

        print(json.dumps(facts, indent=2))
        return 0
    for title, section in facts.items():
        print(title)
        width = max(map(len, section))
        for key, value in section.items():
            print(f"  {key:<{width}}  {value}")
    return 0


def collect() -> dict[str, dict[str, str]]:
    """All facts by section."""
    import torch

    from rote import _native
    from rote.runs import environment

    build = _native.build_info()
    devices = {"cpu": _processor(environment.describe_device("cpu"))}
    for index in range(torch.cuda.device_count()):
        device = environment.describe_device(f"cuda:{index}")
        devices[f"cuda:{index}"] = (
            f"{device['name']}, capability {device['capability']}, {device['memory_bytes'] / 2**30:.0f} GiB"
        )
    if torch.cuda.device_count() == 0:
        devices["cuda"] = "no device"
    git = environment.git_state(Path(environment.__file__).parent)
    versions = environment.versions() | {"rote": build["version"]}
    if git is not None:
        versions["commit"] = git["commit"][:12] + (" with changes" if git["dirty"] else "")
    return {
        "versions": versions,
        "native core": {
            "compiler": str(build["compiler"]),
            "cuda": f"built with CUDA {build['cuda_version']}" if build["cuda"] else "not built",
            "instruction sets compiled": ", ".join(_native.compiled_simd_levels()),
            "instruction set detected": _native.detected_simd_level(),
            "instruction set used": _native.simd_level(),
        },
        "devices": devices,
    }


def _processor(device: dict) -> str:
    return f"{device['name']}, {device['cores']} cores, {device['threads']} threads used"
