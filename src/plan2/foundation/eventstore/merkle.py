"""Merkle trees over a log as RFC 6962 and RFC 9162 define them: roots, inclusion, consistency.

A leaf is hashed as SHA-256(0x00 ‖ data), a node as SHA-256(0x01 ‖ left ‖ right); a tree of n leaves
splits at the largest power of two below n. Both verifications take nothing but what they are given.
"""

import hashlib
from collections.abc import Sequence
from typing import Final

import msgspec

from plan2.foundation.errors import InputError

LEAF: Final = b"\x00"
NODE: Final = b"\x01"
HASH_BYTES: Final = 32
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()
"""The root of a tree without leaves."""


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf."""
    return hashlib.sha256(LEAF + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return hashlib.sha256(NODE + left + right).digest()


def split_of(size: int) -> int:
    """The largest power of two below `size` (≥ 2): how many leaves are in the left subtree."""
    return 1 << (size - 1).bit_length() - 1


class Frontier(msgspec.Struct):
    """What must be known of a growing tree: its size and the roots of its perfect subtrees.

    An append costs O(1) hashes on average and O(log n) at most, a root O(log n).

    Attributes:
        size: number of leaves. peaks: roots of perfect subtrees, the largest first.
    """

    size: int = 0
    peaks: list[bytes] = []

    def append(self, leaf: bytes) -> None:
        """Add a leaf by its hash (`leaf_hash`)."""
        carried = leaf
        for _ in range(trailing_ones(self.size)):
            carried = node_hash(self.peaks.pop(), carried)
        self.peaks.append(carried)
        self.size += 1

    def root(self) -> bytes:
        """The root of the tree as it is now."""
        if not self.peaks:
            return EMPTY_ROOT
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return root

    @property
    def is_sound(self) -> bool:
        """Whether size and peaks belong together; one that was read from a file may not be."""
        return (
            self.size >= 0 and len(self.peaks) == self.size.bit_count() and _are_hashes(self.peaks)
        )

    def copy(self) -> "Frontier":
        """One that grows on its own."""
        return Frontier(self.size, list(self.peaks))


def trailing_ones(number: int) -> int:
    """How many ones a number ends with in binary: how many subtrees the next leaf completes."""
    return (~number & (number + 1)).bit_length() - 1


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The root of a tree whose leaf hashes are all at hand."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    return frontier.root()


def verify_inclusion(
    leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes
) -> bool:
    """Whether a leaf is number `index` (from 0) of the tree with this root (RFC 9162 §2.1.3.2).

    Args:
        leaf: its hash, see `leaf_hash`.
        index: its place, from 0.
        size: the number of leaves.
        path: the proof, from the leaf upwards.
        root: what must come out.
    """
    if not 0 <= index < size or not _are_hashes([leaf, root, *path]):
        return False
    place, last, found = index, size - 1, leaf
    for step in path:
        if last == 0:
            return False
        if place & 1 or place == last:
            found = node_hash(step, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, step)
        place, last = place >> 1, last >> 1
    return last == 0 and found == root


def verify_consistency(
    first: int, second: int, path: Sequence[bytes], first_root: bytes, second_root: bytes
) -> bool:
    """Whether the tree of `second` leaves begins with that of `first` (RFC 9162 §2.1.4.2)."""
    if first == second:
        return first > 0 and not path and first_root == second_root
    if not 0 <= first < second or not _are_hashes([first_root, second_root, *path]):
        return False
    if first == 0:
        return not path  # every tree begins with the empty one; nothing is to be shown
    steps = [first_root, *path] if first & (first - 1) == 0 else list(path)
    if not steps:
        return False
    place, last = first - 1, second - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            old, new = node_hash(step, old), node_hash(step, new)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, step)
        place, last = place >> 1, last >> 1
    return last == 0 and old == first_root and new == second_root


def inclusion_ranges(index: int, size: int) -> list[tuple[int, int]]:
    """The subtrees (first leaf, end) whose roots prove leaf `index`, from the leaf upwards.

    Raises:
        InputError: there is no such leaf.
    """
    if not 0 <= index < size:
        raise InputError(f"A tree of {size} leaves has no leaf {index}.")
    ranges: list[tuple[int, int]] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + split_of(end - start)
        if index < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    return ranges[::-1]


def consistency_ranges(first: int, second: int) -> list[tuple[int, int]]:
    """The subtrees whose roots prove that the tree of `first` leaves grew into that of `second`.

    Raises:
        InputError: the sizes are not 0 < first ≤ second.
    """
    if not 0 < first <= second:
        raise InputError(f"A tree of {second} leaves did not grow from one of {first}.")
    ranges: list[tuple[int, int]] = []
    start, end, is_whole = 0, second, True
    while first != end:
        middle = start + split_of(end - start)
        if first <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start, is_whole = middle, False
    if not is_whole:
        ranges.append((start, end))
    return ranges[::-1]


def _are_hashes(values: Sequence[bytes]) -> bool:
    return all(len(value) == HASH_BYTES for value in values)
