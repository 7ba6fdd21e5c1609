"""Every kind of array goes in with its exact numbers and comes out as it went in."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import torch

import rote
from rote.neighbors.arrays import FLOAT_DTYPES, as_tensor

from . import oracle


class Foreign:
    """An array of another library: DLPack alone."""

    def __init__(self, array: np.ndarray) -> None:
        self.array = array

    def __dlpack__(self, **options):
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.array.__dlpack_device__()


class ArrayApi(Foreign):
    """One that also follows the array API standard."""

    def __array_namespace__(self):
        return ArrayApi

    @staticmethod
    def from_dlpack(value) -> ArrayApi:
        return ArrayApi(np.from_dlpack(value))


def floats(value, name: str = "x") -> torch.Tensor:
    return as_tensor(value, name, FLOAT_DTYPES, "floats")


STRIDED = np.arange(48, dtype=np.float32).reshape(8, 6)


@pytest.mark.parametrize(
    "array",
    [
        STRIDED,
        STRIDED[::-1],
        STRIDED[:, ::-2],
        STRIDED.T,
        np.asfortranarray(STRIDED),
        np.broadcast_to(STRIDED[0], (5, 6)),
        np.ones(4, dtype=[("a", "i1"), ("b", "f4")])["b"][:, None],  # a stride that is no multiple of the item
        STRIDED.astype(np.float64),
        STRIDED.astype(np.float16),
        STRIDED[:0],
    ],
)
def test_numpy_comes_in_whatever_its_strides(array: np.ndarray):
    tensor = floats(array)
    assert tuple(tensor.shape) == array.shape
    np.testing.assert_array_equal(tensor.numpy(), array)


def test_numpy_comes_in_without_a_copy_where_it_can():
    assert floats(STRIDED.T).data_ptr() == STRIDED.ctypes.data


def test_a_read_only_array_is_read_in_place_and_stays_read_only():
    array = np.arange(6.0).reshape(2, 3)
    array.flags.writeable = False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tensor = floats(array)
    assert tensor.data_ptr() == array.ctypes.data
    assert not array.flags.writeable
    del array
    assert tensor.tolist() == [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]]  # the memory is kept alive


def test_bfloat16_of_numpy_comes_in():
    ml_dtypes = pytest.importorskip("ml_dtypes")
    tensor = floats(STRIDED.astype(ml_dtypes.bfloat16))
    assert tensor.dtype == torch.bfloat16
    np.testing.assert_array_equal(tensor.float().numpy(), STRIDED)


def test_results_come_in_the_kind_of_the_queries():
    x = np.random.default_rng(0).standard_normal((5, 3)).astype(np.float32)
    expected = oracle.knn(x, x, 2)
    for queries in (x, torch.from_numpy(x), Foreign(x), ArrayApi(x)):
        for references in (x, torch.from_numpy(x), Foreign(x)):
            distances, indices = rote.knn(queries, references, 2)
            if isinstance(queries, ArrayApi):
                assert isinstance(distances, ArrayApi)
                distances, indices = distances.array, indices.array
            else:
                assert type(distances) is (np.ndarray if isinstance(queries, np.ndarray) else torch.Tensor)
            np.testing.assert_array_equal(np.asarray(indices), expected[1])
            np.testing.assert_array_equal(np.asarray(distances), expected[0])


def test_restrictions_may_be_of_any_kind():
    x = np.random.default_rng(0).standard_normal((6, 3))
    group, mask, ids = np.arange(6) % 2, np.arange(6) < 5, np.arange(6)
    plain = rote.knn(x, x, 2, exclude=ids, groups=(group, group), mask=mask)
    mixed = rote.knn(
        x, x, 2, exclude=Foreign(ids), groups=(torch.from_numpy(group), group), mask=torch.from_numpy(mask)
    )
    np.testing.assert_array_equal(plain[1], mixed[1])


def test_a_foreign_array_that_cannot_be_exported_is_named():
    class Broken(Foreign):
        def __dlpack__(self, **options):
            raise BufferError("device is asleep")

    with pytest.raises(TypeError, match=r"queries must be .*device is asleep"):
        rote.knn(Broken(STRIDED), STRIDED, 1)


def test_mixed_dtypes_are_promoted_without_cutting():
    # 1 + 2**-20 survives float32 and not float16 or bfloat16; 1 + 2**-40 survives float64 alone.
    fine, finest = 1 + 2.0**-20, 1 + 2.0**-40
    for coarse in (torch.float16, torch.bfloat16):
        one = torch.ones(1, 1, dtype=coarse)
        assert rote.knn(one, torch.tensor([[fine]]), 1)[0].item() == np.float32(2.0**-20)
        assert rote.knn(torch.tensor([[fine]]), one, 1)[0].item() == np.float32(2.0**-20)
    for coarse in (torch.float16, torch.bfloat16, torch.float32):
        one, exact = torch.ones(1, 1, dtype=coarse), torch.tensor([[finest]], dtype=torch.float64)
        assert rote.knn(one, exact, 1)[0].item() == np.float32(2.0**-40)
        assert rote.knn(exact, one, 1)[0].item() == np.float32(2.0**-40)
    # float16 has the finer step, bfloat16 the wider range: only float32 holds both.
    half, wide = torch.tensor([[1 + 2.0**-10]], dtype=torch.float16), torch.tensor([[2.0**100]], dtype=torch.bfloat16)
    assert rote.knn(half, torch.ones(1, 1, dtype=torch.bfloat16), 1)[0].item() == 2.0**-10
    assert rote.knn(half, wide, 1)[0].item() == 2.0**100


@pytest.mark.parametrize("dtype", FLOAT_DTYPES)
def test_every_dtype_is_searched_exactly(dtype: torch.dtype):
    generator = torch.Generator().manual_seed(0)
    queries = torch.randn(12, 9, generator=generator).to(dtype)
    references = torch.randn(9, 40, generator=generator).to(dtype).T
    for metric in ("l2", "sqeuclidean", "cosine", "ip"):
        found = rote.knn(queries, references, 6, metric)
        expected = oracle.knn(queries.double().numpy(), references.double().numpy(), 6, metric)
        np.testing.assert_array_equal(found[1].numpy(), expected[1])
        np.testing.assert_array_equal(found[0].numpy(), expected[0])
