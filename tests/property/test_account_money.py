"""Cents of the compiled account against decimal arithmetic, ties and near ties included."""

from decimal import ROUND_HALF_EVEN, Decimal, localcontext

from hypothesis import example, given
from hypothesis import strategies as st

from plan2.intelligence.backtest.account import luck, money
from plan2.intelligence.backtest.account.compiled import entry

RATES = st.one_of(
    st.floats(1e-4, 2_000.0),
    st.integers(1, 200_000).map(lambda points: 1.0 / (points / 1_000)),
    st.integers(1, 2_000_000).map(lambda points: points / 100_000),
)
"""Any float, one over a price, a price: the last two make ties and floats beside them."""


@entry
def cents_of(up: int, down: int, rate: float) -> int:
    """`money.cents` from Python."""
    return money.cents(up, down, rate)


@entry
def nearest_of(value: float, digits: int) -> int:
    """`money.nearest` from Python."""
    return money.nearest(value, digits)


@entry
def luck_of(seed: int, number: int, which: int) -> float:
    """`luck.luck` from Python."""
    return luck.luck(seed, number, which)


@given(up=st.integers(-(10**12), 10**12), down=st.sampled_from([1, 2, 10, 1_000]), rate=RATES)
@example(up=75, down=1, rate=1 / 150.0)  # 0.5000000000000000250: up, though the float is a tie
@example(up=10_000, down=1, rate=1.27345)  # 12734.5: a tie, to the even neighbour
@example(up=-30_000, down=1, rate=1.27345)
def test_cents_are_those_of_decimal_arithmetic(up: int, down: int, rate: float) -> None:
    """The quotient times repr(rate), halves to the even cent."""
    with localcontext() as context:
        context.prec = 60
        exact = Decimal(up) * Decimal(repr(rate)) / down
        assert cents_of(up, down, rate) == exact.quantize(Decimal(1), rounding=ROUND_HALF_EVEN)


@given(value=st.floats(0.0, 10_000.0), digits=st.integers(0, 11))
@example(value=2.675, digits=2)  # the float lies below the tie
@example(value=0.5, digits=0)
def test_nearest_rounds_as_python_does(value: float, digits: int) -> None:
    """`round` rounds the exact value of the float, halves to even."""
    assert nearest_of(value, digits) / 10.0**digits == round(value, digits)


def test_luck_is_splitmix64() -> None:
    """The generator's published first outputs for the seed 1234567, as the C reference prints them.

    A draw's stream starts at the mixed seed; here the mixing itself is compared.
    """
    golden, mask = 0x9E3779B97F4A7C15, 2**64 - 1
    outputs = [6457827717110365317, 3203168211198807973, 9817491932198370423]

    def mixed(state: int) -> int:
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & mask
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & mask
        return state ^ (state >> 31)

    assert [mixed((1234567 + step * golden) & mask) for step in (1, 2, 3)] == outputs
    stream = mixed((7 * golden + golden) & mask)
    for number, which in ((1, 0), (1, 5), (900, 3)):
        word = mixed((stream + (number * 8 + which + 1) * golden) & mask)
        assert luck_of(7, number, which) == (word >> 11) * 2.0**-53


def test_luck_is_even() -> None:
    """A tenth of the draws lies in each tenth: chi-square with 9 degrees below its 99.9 %."""
    tenths = [0] * 10
    for number in range(20_000):
        tenths[int(luck_of(3, number, 1) * 10)] += 1

    assert sum((count - 2_000) ** 2 / 2_000 for count in tenths) < 27.88
