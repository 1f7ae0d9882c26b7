"""What is remembered for all tenants within one bound: whoever has most in it makes room.

A plain bound forgets the oldest, whosever it is, so one tenant without manners makes everybody
else's forgotten. Here nobody loses anything to somebody who has more.
"""

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

import msgspec

Key = TypeVar("Key", bound=Hashable)
Item = TypeVar("Item")


class _Kept(msgspec.Struct, Generic[Item]):
    """Something that is remembered, whose it is, and what it takes."""

    owner: str
    item: Item
    cost: int


class FairMemory(Generic[Key, Item]):
    """Items by key, each of an owner; keys of all owners are different.

    Args:
        room: what all items together may take, in the unit of their costs.
    """

    def __init__(self, room: int) -> None:
        self.room = room
        self.taken = 0
        self._kept: dict[Key, _Kept[Item]] = {}
        self._of: dict[str, dict[Key, None]] = {}
        self._taken_by: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._kept)

    def find(self, key: Key) -> Item | None:
        """What is remembered under a key."""
        found = self._kept.get(key)
        return None if found is None else found.item

    def put(self, owner: str, key: Key, item: Item, cost: int = 1) -> None:
        """Remember something, in place of what was there; what is larger than the room is not."""
        self.pop(key)
        if cost > self.room:
            return
        while self.taken + cost > self.room:
            self._make_room()
        self._kept[key] = _Kept(owner, item, cost)
        self._of.setdefault(owner, {})[key] = None
        self._taken_by[owner] = self._taken_by.get(owner, 0) + cost
        self.taken += cost

    def pop(self, key: Key) -> Item | None:
        """Forget what is under a key, and give it."""
        found = self._kept.pop(key, None)
        if found is None:
            return None
        owner = found.owner
        self.taken -= found.cost
        self._taken_by[owner] -= found.cost
        del self._of[owner][key]
        if not self._of[owner]:
            del self._of[owner], self._taken_by[owner]
        return found.item

    def forget(self, is_over: Callable[[Item], bool]) -> None:
        """Forget of every owner the oldest items that are over, up to the first that is not."""
        for mine in list(self._of.values()):
            while mine:
                key = next(iter(mine))
                if not is_over(self._kept[key].item):
                    break
                self.pop(key)

    def _make_room(self) -> None:
        """Forget the oldest item of who has most."""
        owner = max(self._taken_by, key=self._taken_by.__getitem__)
        self.pop(next(iter(self._of[owner])))
