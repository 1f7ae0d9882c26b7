"""How the account is compiled: apart from the flows that call it, once for all of them.

numba compiles what a kernel calls into the kernel, all the way down, for every caller anew; a flow
would take half a minute. An `outlined` function is compiled (or loaded from numba's cache) by
itself, and its callers reach it by way of a cell that holds its address. The cell has a name that
the linker knows, so that callers can be cached too.
"""

import ctypes
import functools
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import llvmlite.binding
import llvmlite.ir
import numba
from numba import njit
from numba.core import types
from numba.extending import intrinsic

from plan2.foundation.errors import require
from plan2.intelligence.backtest.account.records import ACCOUNT
from plan2.intelligence.features import kernels
from plan2.intelligence.features.fingerprint import source_fingerprint

Function = TypeVar("Function", bound=Callable[..., object])
# numba and llvmlite have no types: what comes from them is Any in this file.


@functools.cache
def account_fingerprint() -> str:
    """Sixteen hex digits over this package and the kernels that it shares with the features."""
    digest = hashlib.sha256(source_fingerprint().encode())
    for path in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(path.name.encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def entry(function: Function) -> Function:
    """A compiled function that Python calls, as `kernels.entry`, of this package's sources."""
    function.__qualname__ += f"_{account_fingerprint()}"
    return kernels.entry(function)


def inlined(function: Function) -> Function:
    """A kernel that becomes a part of every caller, whatever the compiler thinks of its size."""
    options: Any = {
        "no_cpython_wrapper": True, "no_cfunc_wrapper": True, "forceinline": True
    }  # fmt: skip
    return cast("Function", njit(error_model="numpy", **options)(function))


class Outline:
    """One outlined function: its dispatcher, its cell, and the address once it is known."""

    def __init__(self, function: Callable[..., object], numbers: int) -> None:
        self.symbol = f"plan2_{function.__module__}_{function.__name__}_{account_fingerprint()}"
        self.numbers = numbers
        self.returns = types.none if function.__annotations__["return"] is None else types.int64
        function.__qualname__ += f"_{account_fingerprint()}"
        try:
            self._dispatcher: Any = njit(cache=True, error_model="numpy")(function)
        except RuntimeError:  # no folder for the cache
            self._dispatcher = njit(error_model="numpy")(function)
        self._cell = ctypes.c_uint64(0)
        llvmlite.binding.add_symbol(self.symbol, ctypes.addressof(self._cell))

    def make_ready(self) -> None:
        """Compile or load the function and let its callers find it."""
        if self._cell.value:
            return
        arguments = (numba.from_dtype(ACCOUNT), *[types.int64] * self.numbers)
        self._dispatcher.compile(arguments)
        compiled = self._dispatcher.overloads[arguments]
        require(compiled.signature.return_type == self.returns, f"{self.symbol}: other type")
        name = compiled.fndesc.llvm_func_name
        self._cell.value = compiled.library.get_pointer_to_function(name)

    def call(self) -> Any:
        """What kernels call instead: a jump to the address in the cell."""
        symbol, returns = self.symbol, self.returns

        def jump_0(_: Any, account: Any) -> Any:
            return _jump(symbol, returns, account)

        def jump_1(_: Any, account: Any, one: Any) -> Any:
            return _jump(symbol, returns, account, one)

        def jump_2(_: Any, account: Any, one: Any, two: Any) -> Any:
            return _jump(symbol, returns, account, one, two)

        def jump_3(_: Any, account: Any, one: Any, two: Any, three: Any) -> Any:
            return _jump(symbol, returns, account, one, two, three)

        return intrinsic((jump_0, jump_1, jump_2, jump_3)[self.numbers])


def _jump(symbol: str, returns: Any, account: Any, *numbers: Any) -> Any:
    """Type and code of a call by way of a cell: load the address, call it as numba calls."""
    arguments = [account, *[types.int64] * len(numbers)]

    def generate(context: Any, builder: Any, sig: Any, args: Sequence[Any]) -> Any:
        pairs = zip(args, sig.args, arguments, strict=True)
        values = [context.cast(builder, one, kind, wanted) for one, kind, wanted in pairs]
        word = llvmlite.ir.IntType(64)
        module = builder.module
        cell = module.globals.get(symbol) or llvmlite.ir.GlobalVariable(module, word, symbol)
        convention = context.call_conv
        kind = convention.get_function_type(returns, arguments)
        target = builder.inttoptr(builder.load(cell), kind.as_pointer())
        _, result = convention.call_function(builder, target, returns, arguments, values)
        return result

    return returns(account, *numbers), generate


OUTLINES: Final[list[Outline]] = []
"""Every outlined function, in the order of definition: callees before their callers."""


def outlined(numbers: int) -> Callable[[Function], Function]:
    """A kernel of an account and so many integers, at most three, that is compiled apart.

    It returns an integer or nothing, as its annotation says.
    """

    def decorate(function: Function) -> Function:
        outline = Outline(function, numbers)
        OUTLINES.append(outline)
        return cast("Function", outline.call())

    return decorate


def make_ready() -> None:
    """Compile or load all that accounts need.

    `open_account` does it; a process that goes on with an account opened elsewhere must do it too.
    """
    for outline in OUTLINES:
        outline.make_ready()
