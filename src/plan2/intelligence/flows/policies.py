"""Policies written in Python: what they are asked, what they may answer, how they are found.

A policy is a class with `on_bar` or `on_tick` (or both), made without arguments. Bars, features,
exits, size, limits and account stay those of the flow file. It is found by the name of an entry
point of the group `plan2.policies`, or as `module:Class` or `file.py:Class`.
"""

import importlib.util
import pkgutil
from importlib.metadata import entry_points
from pathlib import Path
from typing import Final, Protocol, runtime_checkable

import msgspec

from plan2.foundation.errors import InputError

GROUP: Final = "plan2.policies"


class View:
    """What a policy sees; the same object each time, so keep numbers of it, not itself.

    Attributes:
        ts_ns: UTC. bid, ask: quote currency. side: +1 long, −1 short, 0 flat, requests under way
            counted as done. bars: closed so far.
        values: the flow's features after the bar closed last, in the order of the file.
    """

    __slots__ = ("ask", "bars", "bid", "side", "ts_ns", "values")

    def __init__(self) -> None:
        self.ts_ns = 0
        self.bid = self.ask = 0.0
        self.side = 0
        self.bars = 0
        self.values: tuple[float, ...] = ()


class Action(msgspec.Struct, frozen=True, gc=False):
    """What a policy wants: sides are +1 long, −1 short, 0 none.

    Attributes:
        enter: the side to enter; the opposite one is left first when the flow reverses.
        leave: the side to leave.
        stop_loss, take_profit: distances in price instead of the flow's own; 0 = the flow's own.
    """

    enter: int = 0
    leave: int = 0
    stop_loss: float = 0.0
    take_profit: float = 0.0


@runtime_checkable
class BarPolicy(Protocol):
    """Asked at the end of each bar."""

    def on_bar(self, view: View) -> Action | None:
        """What to do now; None for nothing."""
        ...


@runtime_checkable
class TickPolicy(Protocol):
    """Asked on every tick."""

    def on_tick(self, view: View) -> Action | None:
        """What to do now; None for nothing."""
        ...


Policy = BarPolicy | TickPolicy


def find_policy(name: str) -> Policy:
    """A new policy: an entry point's name, `module:Class` or `file.py:Class`.

    Raises:
        InputError: there is none of that name, or it has neither on_bar nor on_tick.
    """
    found = {point.name: point for point in entry_points(group=GROUP)}
    if name in found:
        made = found[name].load()()
    elif ":" in name:
        place, _, attribute = name.rpartition(":")
        made = _class_in(place, attribute)()
    else:
        known = ", ".join(sorted(found)) or "none"
        raise InputError(
            f"No policy {name!r} is installed; installed: {known}.",
            remedy="Name an entry point of plan2.policies, module:Class or file.py:Class.",
        )
    if not isinstance(made, BarPolicy | TickPolicy):
        raise InputError(f"{name} has neither on_bar(view) nor on_tick(view).")
    return made


def _class_in(place: str, attribute: str) -> type:
    """A class of a module or of a Python file."""
    try:
        module = _file(Path(place)) if place.endswith(".py") else pkgutil.resolve_name(place)
    except (ImportError, OSError, SyntaxError) as error:
        raise InputError(f"{place} cannot be imported: {error}.") from error
    made = getattr(module, attribute, None)
    if not isinstance(made, type):
        raise InputError(f"{place} has no class {attribute!r}.")
    return made


def _file(path: Path) -> object:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
