"""References packed once for many searches on the CPU."""

from __future__ import annotations

import threading

import torch

import rote.ops.knn

#: Fewer queries read the references as they lie (csrc/knn/cpu/search_cpu.cpp).
LEAST_QUERIES = 4


class PackedRows:
    """The packed form of one tensor of references, made when a search first asks for it. Safe to share by threads.

    Args:
        references: [N, d], not changed for the life of the object.
        metric: "l2", "sqeuclidean", "cosine" or "ip".
    """

    def __init__(self, references: torch.Tensor, metric: str) -> None:
        self._references = references
        self._metric = metric
        self._packed = None
        self._lock = threading.Lock()

    def serves(self, queries: torch.Tensor, references: torch.Tensor) -> bool:
        """Whether a search should use the packed form: an eager one on the CPU, of this very tensor."""
        return (
            references is self._references
            and not torch.compiler.is_compiling()
            and type(queries) in (torch.Tensor, torch.nn.Parameter)
            and type(references) in (torch.Tensor, torch.nn.Parameter)
            and references.device.type == "cpu"
            and queries.shape[0] >= LEAST_QUERIES
            and references.shape[1] > 0
        )

    def get(self):
        """The native index and the tensor that searches must be given with it."""
        with self._lock:
            if self._packed is None:
                self._packed = rote.ops.knn.pack(self._references, self._metric)
            return self._packed
