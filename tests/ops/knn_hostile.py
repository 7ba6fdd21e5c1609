"""Data that tries to break the certificate of the k-NN search: each case is (queries [Q, d], references [N, d])."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

Pair = tuple[np.ndarray, np.ndarray]

#: Every case by name, as a function of a random generator; float64, finite in float32 too.
CASES: dict[str, Callable[[np.random.Generator], Pair]] = {}


def case(name: str, **fixed):
    def register(function):
        CASES[name] = lambda rng: function(rng, **fixed)
        return function

    return register


def normal(rng: np.random.Generator, *shape: int) -> np.ndarray:
    return rng.standard_normal(shape)


# Ties -----------------------------------------------------------------------------------------------------------------


@case("5,000 duplicates")
def duplicates(rng: np.random.Generator) -> Pair:
    row, others = normal(rng, 1, 16), normal(rng, 300, 16)
    references = np.concatenate([np.repeat(row, 5000, axis=0), others])[rng.permutation(5300)]
    return np.concatenate([row, row + 1e-3, others[:2], normal(rng, 3, 16)]), references


@case("three rows a thousand times")
def repeated(rng: np.random.Generator) -> Pair:
    base = normal(rng, 3, 16)
    return np.concatenate([base, normal(rng, 5, 16)]), np.tile(base, (1000, 1))


@case("duplicates but for the last bit")
def last_bits(rng: np.random.Generator) -> Pair:
    row = np.float32(normal(rng, 1, 24))
    references = np.repeat(row, 2000, axis=0)
    columns = rng.integers(0, 24, 2000)
    references[np.arange(2000), columns] = np.nextafter(references[np.arange(2000), columns], np.float32(9))
    return np.concatenate([row, normal(rng, 7, 24)]).astype(np.float64), references.astype(np.float64)


@case("all equal")
def all_equal(rng: np.random.Generator) -> Pair:
    return np.ones((7, 8)), np.ones((2500, 8))


@case("all zero")
def all_zero(rng: np.random.Generator) -> Pair:
    return np.concatenate([np.zeros((4, 8)), normal(rng, 4, 8)]), np.zeros((2500, 8))


@case("every second row is zero")
def zero_rows(rng: np.random.Generator) -> Pair:
    queries, references = normal(rng, 12, 16), normal(rng, 2500, 16)
    references[::2], queries[3] = 0, 0
    return queries, references


@case("one-hot")
def one_hot(rng: np.random.Generator) -> Pair:
    return np.eye(40)[:15], np.tile(np.eye(40), (60, 1))


@case("one-hot with signs and sizes")
def signed_one_hot(rng: np.random.Generator) -> Pair:
    rows = (
        np.eye(17)[rng.integers(0, 17, 2000)] * rng.choice([-1, 1], (2000, 1)) * 2.0 ** rng.integers(-3, 4, (2000, 1))
    )
    return rows[:20] * 0.75, rows


@case("permutations of one row")
def permutations(rng: np.random.Generator) -> Pair:
    """Sums of the same terms in other orders: true ties that only the rounding of the key decides."""
    row = np.exp(2 * normal(rng, 100))
    queries = np.stack([np.full(100, value) for value in (1 / 3, -1 / 3, 0.1, 1.7320508, 1e-4)])
    return queries, np.stack([rng.permutation(row) for _ in range(1500)])


# Cancellation ---------------------------------------------------------------------------------------------------------


@case("common offset of a thousand", offset=1e3)
@case("common offset of a million", offset=1e6)
@case("common offset of 2^23", offset=2.0**23)
@case("common offset of 2^30", offset=2.0**30)
def common_offset(rng: np.random.Generator, offset: float) -> Pair:
    direction = rng.choice([-1.0, 1.0, 0.5], 32)
    return normal(rng, 20, 32) + offset * direction, normal(rng, 2500, 32) + offset * direction


@case("a millionth about one row")
def about_one_row(rng: np.random.Generator) -> Pair:
    row = normal(rng, 1, 64)
    return row + 1e-6 * normal(rng, 9, 64), row + 1e-6 * normal(rng, 2500, 64)


@case("products that cancel")
def cancelling(rng: np.random.Generator) -> Pair:
    """Large terms in pairs of opposite sign, the difference in the last place."""
    half, small = 1e4 * normal(rng, 2000, 20), normal(rng, 2000, 20)
    return np.concatenate([np.ones((6, 20)), np.ones((6, 20))], axis=1), np.concatenate([half, small - half], axis=1)


@case("collapsed classes, 0.03", within=0.03)
@case("collapsed classes, 0.003", within=0.003)
@case("collapsed classes, 1e-6", within=1e-6)
def collapsed(rng: np.random.Generator, within: float) -> Pair:
    centres, labels = normal(rng, 5, 24), rng.integers(0, 5, 3000)
    return np.tile(centres, (12, 1)) + within * normal(rng, 60, 24), centres[labels] + within * normal(rng, 3000, 24)


# Dynamic range --------------------------------------------------------------------------------------------------------


@case("one row 1,000 times longer", factor=1e3)
@case("one row 1,000,000 times longer", factor=1e6)
@case("one row 1e25 times longer", factor=1e25)
def one_long_row(rng: np.random.Generator, factor: float) -> Pair:
    queries, references = normal(rng, 20, 32), normal(rng, 2500, 32)
    references[1250] *= factor
    return queries, references


@case("lognormal norms")
def lognormal_norms(rng: np.random.Generator) -> Pair:
    return normal(rng, 20, 32), normal(rng, 2500, 32) * np.exp(3 * normal(rng, 2500, 1))


@case("lognormal elements")
def lognormal_elements(rng: np.random.Generator) -> Pair:
    return np.exp(3 * normal(rng, 20, 32)), np.exp(3 * normal(rng, 2500, 32)) * rng.choice([-1, 1], (2500, 32))


@case("one column a million times larger")
def one_large_column(rng: np.random.Generator) -> Pair:
    """Whatever scale a row gets, the other columns are below its quantum."""
    queries, references = normal(rng, 20, 32), normal(rng, 2500, 32)
    queries[:, 5], references[:, 5] = 1e6, 1e6
    return queries, references


@case("denormals")
def denormals(rng: np.random.Generator) -> Pair:
    return normal(rng, 12, 16) * 1e-41, normal(rng, 2500, 16) * 1e-41


@case("one denormal beside ordinary numbers")
def one_denormal(rng: np.random.Generator) -> Pair:
    queries, references = np.zeros((8, 16)), np.zeros((2000, 16))
    queries[:, 3], references[:, 3] = 1e-45 * np.arange(1, 9), 1e-45 * rng.integers(-9, 9, 2000)
    queries[4:, 0], references[::2, 0] = 1, 1
    return queries, references


@case("tiny beside ordinary rows")
def tiny_rows(rng: np.random.Generator) -> Pair:
    references = normal(rng, 2500, 16)
    references[::2] *= 1e-35
    return normal(rng, 12, 16) * 1e-30, references


@case("near overflow")
def near_overflow(rng: np.random.Generator) -> Pair:
    return (normal(rng, 12, 16) * 1e38).clip(-3e38, 3e38), normal(rng, 2500, 16) * 1e37


@case("tiny queries and huge references", of_queries=1e-36, of_references=1e36)
@case("huge queries and tiny references", of_queries=1e36, of_references=1e-36)
@case("tiny queries and tiny references", of_queries=1e-30, of_references=1e-36)
def distant_magnitudes(rng: np.random.Generator, of_queries: float, of_references: float) -> Pair:
    """A product's scale must hold both, and the mean of classes far apart."""
    queries, references = collapsed(rng, 0.03)
    return queries * of_queries, references * of_references


@case("far queries")
def far_queries(rng: np.random.Generator) -> Pair:
    return normal(rng, 12, 16) * 1e6, normal(rng, 2500, 16)


# Where a bound is tight -----------------------------------------------------------------------------------------------


def aligned_residuals(
    rng: np.random.Generator, bits: int, dim: int = 64, mirrored: bool = True, of_queries: bool = False
) -> Pair:
    """Rows half a quantum of 2^-bits off their grid, residuals along the other operand: Cauchy-Schwarz is an equality.

    A row of one kind is nearer to the query than its rounded form, one of the other kind farther. The five near ones
    win by a quantum or two and look worse than the 400 others by nearly d quanta.
    """
    quantum, off = 2.0**-bits, 0.5 - 2.0**-9
    signs = rng.choice([-1.0, 1.0], dim)
    half = rng.integers(-(2 ** (bits - 1)), 2 ** (bits - 1), (405, dim // 2)).astype(np.float64)
    half[:] = rng.permuted(np.abs(half[:1]).repeat(405, 0), axis=1) * rng.choice([-1, 1], half.shape)
    grid = np.zeros((405, dim))  # along the signs: pairs that cancel, so that all rows look the same to the query
    grid[:, 0 : dim // 2 * 2 : 2], grid[:, 1::2] = half, -half
    lead = int(dim * 2 * off) - 1
    grid[5:, :lead] += 1
    residual = np.where(np.arange(405)[:, None] < 5, off, -off)
    if of_queries:  # the query is off its grid; references are sign patterns with and against its residual
        query = signs * (grid[:4] + off)
        references = np.where(np.arange(405)[:, None] < 5, signs, -signs)
        flipped = rng.integers(0, dim, (405, 2))
        references[np.arange(405)[:, None], flipped] *= -1
        return query * quantum, references
    references = signs * (grid + residual) * quantum
    if mirrored:  # no common mean to subtract
        references = np.concatenate([references, -references])
    return np.stack([signs, signs * 2.0**10, signs * 3, signs * 2.0**-10]), references[rng.permutation(len(references))]


for _bits in range(4, 17):
    case(f"aligned residuals, {_bits} bits", bits=_bits)(aligned_residuals)
for _bits in (6, 8, 10, 12, 14, 15):
    case(f"aligned residuals with a mean, {_bits} bits", bits=_bits, mirrored=False)(aligned_residuals)
    case(f"aligned residuals of queries, {_bits} bits", bits=_bits, of_queries=True)(aligned_residuals)
    case(f"aligned residuals, {_bits} bits, 511 columns", bits=_bits, dim=511)(aligned_residuals)


def norms_at_the_limit(rng: np.random.Generator, dim: int) -> Pair:
    """Products of norms that a 32-bit sum must hold: parallel rows, elements all equal, just off powers of two."""
    sizes = np.float32([1, np.nextafter(np.float32(1), np.float32(0)), np.nextafter(np.float32(1), np.float32(2)),
                        0.5, 2, 0.7071067, 0.70710677, 0.70710686, 1.9999999])  # fmt: skip
    flat = np.ones((1, dim)) * sizes[:, None]
    alternating = flat * np.where(np.arange(dim) % 2, -1, 1)
    spike = np.eye(1, dim, dim - 1) * sizes[:, None] * np.sqrt(dim)
    rows = np.concatenate([flat, -flat, alternating, -alternating, spike, -spike, flat / np.sqrt(dim)]).astype(
        np.float64
    )
    return rows[rng.permutation(len(rows))[:20]], np.tile(rows, (4, 1))[rng.permutation(4 * len(rows))]


for _dim in (1, 2, 3, 8, 16, 64, 256, 511, 1024, 4097):
    case(f"norms at the limit, {_dim} columns", dim=_dim)(norms_at_the_limit)


def biased_sums(rng: np.random.Generator, dim: int) -> Pair:
    """Equal terms, whose float32 partial sums all round one way, beside others whose sums are exact."""
    value = np.float32(1 / 3)
    references = np.repeat(np.full((1, dim), value), 400, axis=0)
    references[::2, ::2], references[::2, 1::2] = np.float32(0.25), 2 * value - np.float32(0.25)
    references *= 1 + 2.0**-22 * rng.integers(0, 8, (400, 1))
    return np.full((4, dim), value) * np.array([[1], [-1], [0.1], [3]]), references.astype(np.float64)


for _dim in (7, 100, 513, 3000):
    case(f"biased sums, {_dim} columns", dim=_dim)(biased_sums)


def shape(rng: np.random.Generator, dim: int) -> Pair:
    return normal(rng, 9, dim) + 3, normal(rng, 300, dim) + 3


for _dim in (1, 2, 3, 511, 513, 2048, 4097):
    case(f"{_dim} columns", dim=_dim)(shape)
