"""What changed since somebody last looked: a set of keys, and one call when it stops being empty.

`mark` is what the tick's way pays for screens: one insertion into a set. Everything else happens
when the stream collects.
"""

from collections.abc import Callable, Collection, Hashable

Listener = Callable[[set[Hashable]], None]


class Changes:
    """Keys that changed; listeners get them all at the next `collect`."""

    __slots__ = ("_keys", "_listeners", "_wakes")

    def __init__(self) -> None:
        self._keys: set[Hashable] = set()
        self._listeners: tuple[Listener, ...] = ()
        self._wakes: tuple[Callable[[], None], ...] = ()

    def mark(self, key: Hashable) -> None:
        """Something about `key` is different now."""
        if not self._keys:
            for wake in self._wakes:
                wake()
        self._keys.add(key)

    def wake_with(self, wake: Callable[[], None]) -> None:
        """Call `wake` for the first mark after each collection; it must be quick and not raise."""
        self._wakes = (*self._wakes, wake)

    def listen(self, listener: Listener) -> None:
        """Give each collected set to `listener`, which must not keep or change it."""
        self._listeners = (*self._listeners, listener)

    def forget(self, wake: Callable[[], None], listeners: Collection[Listener]) -> None:
        """Let a stream that has ended hear no more."""
        self._wakes = tuple(each for each in self._wakes if each != wake)
        self._listeners = tuple(each for each in self._listeners if each not in listeners)

    def collect(self) -> bool:
        """Hand over what was marked; False when nothing was."""
        if not self._keys:
            return False
        keys, self._keys = self._keys, set()
        for listener in self._listeners:
            listener(keys)
        return True
