"""Embeddings that a trained encoder makes of real images: where the benchmark gets them, and how to make them.

    rote run benign --data folder --root DIR --labels true --images 50000 --model convnet --width 128 --epochs 5
    python -m benchmarks.knn.embeddings RUN --out cifar10-512.npz
    rote bench -k embeddings --embeddings cifar10-512.npz

The first line trains an encoder with 512 features; any run folder will do, with its own number of features.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch

import rote
from benchmarks.knn.datasets import trained_encoder_surrogate


def embeddings_of_run(
    run: Path, layer: str = "encoder", data: str | None = None, root: str | None = None
) -> np.ndarray:
    """float32 [N, d]: what a layer of the run's final network makes of all training images, in their stored order.

    Args:
        run: a complete run folder that kept its final weights.
        layer: one of the network's layers.
        data: name of the data set; the run's own by default.
        root: where it lies; the run's own by default.
    """
    from rote.metrics.embedding import embed

    record = rote.load_run(run)
    bank = rote.data.load(data or record.config["data"], root or record.config["root"], size=record.config["size"])
    return embed(record.encoder(), bank.train.images, [layer])[layer].float().cpu().numpy()


def load_embeddings(source: str | None, count: int, dim: int) -> tuple[torch.Tensor, str]:
    """The embeddings a benchmark runs on, and in words what they are.

    Args:
        source: an .npz file with `embeddings` [N, d], a run folder, or None for the surrogate.
        count: rows wanted; the source's first ones are taken, all if it has fewer.
        dim: features of the surrogate.
    """
    if source is None:
        return trained_encoder_surrogate(count, dim), "surrogate of a trained encoder"
    path = Path(source)
    if not path.exists():
        raise FileNotFoundError(f"--embeddings (or ROTE_BENCH_EMBEDDINGS): {path} does not exist")
    if path.is_dir():
        rows, words = embeddings_of_run(path), f"encoder of {path.name}"
    else:
        with np.load(path, allow_pickle=False) as archive:
            rows = archive["embeddings"]
            words = str(archive["words"]) if "words" in archive.files else path.name
    if rows.ndim != 2 or rows.dtype not in (np.float32, np.float16):
        raise ValueError(f"{path}: wanted `embeddings` float32 or float16 [N, d], got {rows.dtype} {list(rows.shape)}")
    return torch.from_numpy(np.ascontiguousarray(rows[:count], dtype=np.float32)), words


def main() -> None:
    parser = argparse.ArgumentParser(description="Writes the embeddings of a run's training images as .npz.")
    parser.add_argument("run", type=Path, help="a complete run folder")
    parser.add_argument("--layer", default="encoder")
    parser.add_argument("--data", help="name of the data set; the run's own by default")
    parser.add_argument("--root", help="where it lies; the run's own by default")
    parser.add_argument("--out", type=Path, required=True, help="the .npz to write")
    arguments = parser.parse_args()
    rows = embeddings_of_run(arguments.run, arguments.layer, arguments.data, arguments.root)
    run = rote.load_run(arguments.run)
    probe = run.summary.get("probe_accuracy")
    words = f"{run.config['data']}, {arguments.layer} of a trained {run.config['model']}"
    words += f" (probe {probe:.3f})" if probe is not None else ""
    np.savez(arguments.out, embeddings=rows, words=words)
    print(f"{arguments.out}: float32 {list(rows.shape)}, {words}")


if __name__ == "__main__":
    main()
