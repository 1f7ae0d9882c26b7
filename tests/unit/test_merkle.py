"""Merkle trees against the published CT reference tree, and against a naive implementation."""

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plan2.foundation.errors import InputError
from plan2.foundation.eventstore.log_tree import CHUNK, LogTree
from plan2.foundation.eventstore.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_ranges,
    inclusion_ranges,
    leaf_hash,
    node_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)

INPUTS = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
"""The eight leaves of the Certificate Transparency reference tests."""

ROOTS = [
    bytes.fromhex(text)
    for text in (
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    )
]
"""Their published roots for 1 to 8 leaves."""

INCLUSION = {
    (0, 1): [],
    (0, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (5, 8): [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 3): ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    (1, 5): [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
"""(leaf from 0, size) → the published proof."""

CONSISTENCY = {
    (1, 1): [],
    (1, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
"""(old size, new size) → the published proof."""

LEAVES = [leaf_hash(data) for data in INPUTS]


def over(leaves: Sequence[bytes], ranges: Sequence[tuple[int, int]]) -> list[bytes]:
    """The roots of some subtrees, computed the naive way."""
    return [naive(leaves[start:end]) for start, end in ranges]


def naive(leaves: Sequence[bytes]) -> bytes:
    """RFC 6962 §2.1 word for word: split at the largest power of two below n."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + naive(leaves[:k]) + naive(leaves[k:])).digest()


def test_the_published_roots() -> None:
    """Incremental and at once, for every size; the empty tree too."""
    frontier = Frontier()
    assert frontier.root() == EMPTY_ROOT == hashlib.sha256(b"").digest()
    for size, root in enumerate(ROOTS, 1):
        frontier.append(LEAVES[size - 1])
        assert frontier.root() == root == root_of(LEAVES[:size]) == naive(LEAVES[:size])


def test_the_published_inclusion_proofs() -> None:
    """Ours are the published ones, and they verify."""
    for (index, size), published in INCLUSION.items():
        path = [bytes.fromhex(step) for step in published]
        assert over(LEAVES, inclusion_ranges(index, size)) == path
        assert verify_inclusion(LEAVES[index], index, size, path, ROOTS[size - 1])


def test_the_published_consistency_proofs() -> None:
    """Ours are the published ones, and they verify."""
    for (first, second), published in CONSISTENCY.items():
        path = [bytes.fromhex(step) for step in published]
        assert over(LEAVES, consistency_ranges(first, second)) == path
        assert verify_consistency(first, second, path, ROOTS[first - 1], ROOTS[second - 1])


def wrong_inclusions() -> list[tuple[bytes, int, int, list[bytes], bytes]]:
    """Every published proof with something about it that is not so."""
    found = []
    for (index, size), published in INCLUSION.items():
        path, leaf, root = [bytes.fromhex(s) for s in published], LEAVES[index], ROOTS[size - 1]
        found += [
            (leaf, index, size, path, EMPTY_ROOT),
            (leaf, index, size, path, b""),
            (leaf, index, size, [*path, root], root),
            (leaf, index, size, [bytes(32), *path], root),
            (leaf, index, size, [*path, b""], root),
            (leaf, index ^ 1, size, path, root) if size > 1 else (leaf, 1, 1, path, root),
            (leaf, index + size, size, path, root),
            (leaf, -1, size, path, root),
            (leaf, index, 0, path, root),
            (node_hash(leaf, leaf), index, size, path, root),
            (leaf, index, size * 4 + 1, path, root),
        ]
        found += [(leaf, index, size, path[:cut], root) for cut in range(len(path))]
        for place in range(len(path)):
            bent = list(path)
            bent[place] = bytes([bent[place][0] ^ 1]) + bent[place][1:]
            found.append((leaf, index, size, bent, root))
    return found


def test_wrong_inclusion_proofs_are_refused() -> None:
    """Another root, leaf, place or size; a step too many, too few, bent, or of another length."""
    wrong = wrong_inclusions()
    assert len(wrong) > 60
    assert [case for case in wrong if verify_inclusion(*case)] == []


def test_wrong_consistency_proofs_are_refused() -> None:
    """The same for consistency; sizes that run backwards too."""
    wrong = [(2, 1, [], ROOTS[1], ROOTS[0]), (1, 1, [EMPTY_ROOT], ROOTS[0], ROOTS[0])]
    wrong += [(1, 2, [], ROOTS[0], ROOTS[1]), (-1, 2, [], ROOTS[0], ROOTS[1])]
    for (first, second), published in CONSISTENCY.items():
        path = [bytes.fromhex(step) for step in published]
        old, new = ROOTS[first - 1], ROOTS[second - 1]
        wrong += [
            (first, second, [*path, new], old, new),
            (first, second, path, EMPTY_ROOT, new),
            (first, second, path, old, EMPTY_ROOT),
            (first, second, path, old, b""),
        ]
        if first != second:
            wrong += [(first, second, path, new, old), (first + 1, second, path, old, new)]
            wrong += [(first, second, path[:cut], old, new) for cut in range(len(path))]
        for place in range(len(path)):
            bent = list(path)
            bent[place] = bytes(32)
            wrong.append((first, second, bent, old, new))
    assert len(wrong) > 30
    assert [case for case in wrong if verify_consistency(*case)] == []


@settings(deadline=None, max_examples=150)
@given(st.integers(1, 70), st.data())
def test_any_tree(size: int, data: st.DataObject) -> None:
    """Roots are the naive ones; proofs of any leaf and any two sizes verify, of others not."""
    leaves = [leaf_hash(str(number).encode()) for number in range(size)]
    assert root_of(leaves) == naive(leaves)
    index = data.draw(st.integers(0, size - 1))
    path = over(leaves, inclusion_ranges(index, size))
    assert verify_inclusion(leaves[index], index, size, path, naive(leaves))
    other = data.draw(st.integers(0, size - 1))
    assert verify_inclusion(leaves[index], other, size, path, naive(leaves)) == (other == index)
    first = data.draw(st.integers(1, size))
    steps = over(leaves, consistency_ranges(first, size))
    assert verify_consistency(first, size, steps, naive(leaves[:first]), naive(leaves))
    if first > 1:
        assert not verify_consistency(first, size, steps, naive(leaves[: first - 1]), naive(leaves))


@pytest.mark.parametrize("size", [CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 17])
async def test_the_tree_of_a_long_log_remembers_only_chunks(size: int) -> None:
    """Proofs beyond a chunk are right, and few leaves are read for the second one."""
    hashes = [hashlib.sha256(str(number).encode()).digest() for number in range(size)]
    reads: list[int] = []

    async def read(start: int, end: int) -> Sequence[bytes]:
        reads.append(end - start)
        return hashes[start:end]

    tree = LogTree(read)
    leaves = [leaf_hash(each) for each in hashes]
    root = naive(leaves)
    assert await tree.root(size) == root
    reads.clear()
    for index in (0, size // 2, size - 1):
        path = await tree.inclusion(index, size)
        assert verify_inclusion(leaves[index], index, size, path, root)
    assert sum(reads) <= 3 * 2 * CHUNK
    first = size // 3
    steps = await tree.consistency(first, size)
    assert verify_consistency(first, size, steps, naive(leaves[:first]), root)


def test_leaves_that_do_not_exist_are_a_mistake() -> None:
    """InputError, not a wrong proof."""
    for make in (lambda: inclusion_ranges(3, 3), lambda: inclusion_ranges(-1, 3)):
        with pytest.raises(InputError):
            make()
    for first, second in ((0, 3), (4, 3)):
        with pytest.raises(InputError):
            consistency_ranges(first, second)
