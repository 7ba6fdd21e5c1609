"""`rote.Index`: references that are searched more than once."""

from __future__ import annotations

from typing import Any

import torch

from rote.neighbors.packed import PackedRows
from rote.neighbors.search import checked_metric, matrix, search


class Index:
    """References and a metric, ready to be searched.

    A plain holder of tensors: move it with `to`, pickle it, copy it. A torch tensor is kept as it is, not copied, and
    the index refuses to search once that tensor has been changed in place (by any operation that torch tracks). A
    numpy array or another DLPack object is copied, and so is an inference-mode tensor, whose changes torch does not
    track.

    On the CPU the first search of four or more queries packs the references (in 16 bit: half of float32's memory
    again), and later searches reuse that. The packed form is rebuilt, not carried, by `to` and pickle.

    Args:
        references: [N, d], float64, float32, float16 or bfloat16, as for `rote.knn`.
        metric: "l2", "sqeuclidean", "cosine" or "ip".

    Raises:
        TypeError, ValueError: as `rote.knn`.

    Example:
        >>> import torch, rote
        >>> index = rote.Index(torch.eye(3), metric="cosine")
        >>> distances, indices = index.search(torch.tensor([[0.0, 2.0, 0.0]]), k=1)
        >>> indices.item(), distances.item()
        (1, 0.0)
    """

    def __init__(self, references: Any, metric: str = "l2") -> None:
        self.metric = checked_metric(metric)
        tensor = matrix(references, "references", "N")
        if not isinstance(references, torch.Tensor) or tensor.is_inference():
            tensor = tensor.clone()
        self._hold(tensor)

    def search(
        self,
        queries: Any,
        k: int,
        *,
        exclude: Any = None,
        groups: tuple[Any, Any] | None = None,
        mask: Any = None,
        out: tuple[Any, Any] | None = None,
        return_stats: bool = False,
    ) -> tuple[Any, ...]:
        """The k nearest references of every query; arguments, result and errors are those of `rote.knn`.

        Args:
            return_stats: also return what the search counted, a dict; on a CUDA device of int64 tensors there, named by
                `rote.ops.knn.CUDA_STATS`, on the CPU of numbers: `rows_int16`, `rows_float32` and
                `rows_float64` (queries settled by that pass), `scored_pairs` (pairs that a low-precision pass looked
                at), `exact_keys` (float64 keys computed, of all Q * N pairs), `compactions` (buffers of candidates that
                filled up and were thinned), `exact_compactions` (those thinned by exact keys, since the error bounds
                did not separate enough), `uncertified_rows` (0: every query is settled) and `executor` (the
                instruction set).

        Returns:
            (distances, indices), with `return_stats` (distances, indices, stats).

        Raises:
            NotImplementedError: `return_stats` on a device that is neither.
            RuntimeError: the references were changed in place since the index was made. (Not noticed inside
                torch.compile, where the version of a tensor is not visible.)

        Example:
            >>> import numpy as np, rote
            >>> index = rote.Index(np.array([[1.0, 0.0], [0.0, 1.0]]))
            >>> index.search(np.array([[0.9, 0.0]]), k=2)[1].tolist()
            [[0, 1]]
        """
        self._check_unchanged()
        distances, indices, stats = search(
            queries,
            self.references,
            k,
            self.metric,
            exclude=exclude,
            groups=groups,
            mask=mask,
            out=out,
            with_stats=return_stats,
            packed=self._packed,
        )
        return (distances, indices, stats) if return_stats else (distances, indices)

    def search_keys(
        self, queries: Any, k: int, *, exclude: Any = None, groups: tuple[Any, Any] | None = None, mask: Any = None
    ) -> tuple[Any, Any]:
        """As `search`, with the float64 keys of `rote.neighbors.knn_keys` in the place of distances.

        Returns:
            (keys float64 [Q, k], indices int64 [Q, k]); inf and -1 where no reference is left, NaN and -1 for a query
            that is not finite.

        Raises:
            TypeError, ValueError, RuntimeError: as `search`.

        Example:
            >>> import numpy as np, rote
            >>> rote.Index(np.array([[1.0], [4.0]])).search_keys(np.array([[2.0]]), k=2)[0].tolist()
            [[1.0, 4.0]]
        """
        self._check_unchanged()
        keys, indices, _ = search(
            queries,
            self.references,
            k,
            self.metric,
            exclude=exclude,
            groups=groups,
            mask=mask,
            values=torch.float64,
            packed=self._packed,
        )
        return keys, indices

    def to(self, device: torch.device | str) -> Index:
        """This index with its references on `device`; the index itself if they are there already."""
        self._check_unchanged()
        moved = self.references.to(device)
        if moved is self.references:
            return self
        index = Index.__new__(Index)
        index.metric = self.metric
        index._hold(moved)
        return index

    @property
    def device(self) -> torch.device:
        return self.references.device

    @property
    def dtype(self) -> torch.dtype:
        return self.references.dtype

    def __len__(self) -> int:
        return self.references.shape[0]

    def __repr__(self) -> str:
        dtype = str(self.dtype).removeprefix("torch.")
        return f"Index({dtype} {list(self.references.shape)} on {self.device}, metric={self.metric!r})"

    def __getstate__(self) -> dict[str, Any]:
        self._check_unchanged()
        references = self.references
        if references.untyped_storage().nbytes() > references.numel() * references.element_size():
            references = references.clone()  # a view would drag the whole storage along
        return {"references": references, "metric": self.metric}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.metric = state["metric"]
        self._hold(state["references"])

    def _hold(self, references: torch.Tensor) -> None:
        self.references = references
        self._packed = PackedRows(references, self.metric)
        # An inference tensor has no version; the index then holds a copy that nobody else can reach.
        self._version = None if references.is_inference() else references._version

    def _check_unchanged(self) -> None:
        if torch.compiler.is_compiling() or self._version is None:
            return
        if self.references._version != self._version:
            raise RuntimeError(
                "the references of this Index were changed in place after it was made; make a new Index, "
                "or give it a clone of the tensor"
            )
