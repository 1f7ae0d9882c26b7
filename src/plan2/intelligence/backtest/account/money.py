"""Cents without doubt: integer amounts rounded as the broker's decimal arithmetic rounds them.

The broker multiplies decimals, a conversion rate being the decimal that `repr` prints for a float,
and rounds halves to the even cent. In floating point that is safe except near a tie; there the
rate's digits are found and both sides compared in integers modulo 2**64, exactly.
"""

import math

import numpy as np

from plan2.intelligence.features.kernels import kernel

DECIMALS = 23
POWERS = 10.0 ** np.arange(DECIMALS)
"""Powers of ten that a float holds exactly."""
SPLITTER = 134_217_729.0
"""2**27 + 1 halves a float's digits (Dekker 1971)."""


@kernel
def divided(amount: int, whole: int) -> int:
    """Amount / whole to the nearest integer, halves to the even one; whole > 0."""
    quotient = amount // whole
    twice = 2 * (amount - quotient * whole)
    if twice > whole or (twice == whole and quotient % 2 != 0):
        quotient += 1
    return quotient


@kernel
def product_error(one: float, other: float, product: float) -> float:
    """What rounding took from one · other = product (Dekker's two-product)."""
    high = SPLITTER * one
    high -= high - one
    low = one - high
    far = SPLITTER * other
    far -= far - other
    near = other - far
    return low * near - (((product - high * far) - low * far) - high * near)


@kernel
def nearest(value: float, digits: int) -> int:
    """Value · 10**digits to the nearest integer as `round(value, digits)` rounds it."""
    product = value * POWERS[digits]
    whole = math.floor(product)
    rest = (product - whole) + product_error(value, POWERS[digits], product)
    more = math.floor(rest)
    rest -= more
    number = int(whole) + int(more)
    if rest > 0.5 or (rest == 0.5 and number % 2 != 0):
        number += 1
    return number


@kernel
def decimals_of(rate: float) -> int:
    """How many decimals `repr(rate)` has: the fewest that lead back to the float; 23 = too many."""
    half_ulp = math.ldexp(0.5, math.frexp(rate)[1] - 53)
    for digits in range(DECIMALS):
        product = rate * POWERS[digits]
        whole = math.floor(product + 0.5)
        rest = (product - whole) + product_error(rate, POWERS[digits], product)
        if abs(rest - math.floor(rest + 0.5)) < half_ulp * POWERS[digits]:
            return digits
    return DECIMALS


@kernel
def is_beyond_tie(up: int, down: int, rate: float, floor: int) -> bool:
    """Whether up / down · repr(rate) is rounded up from `floor`, near floor + ½; all ≥ 0."""
    digits = decimals_of(rate)
    if digits >= DECIMALS:
        return float(up) * rate / float(down) - floor > 0.5
    ten = 1
    for _ in range(digits):
        ten *= 10
    # Both products may leave 64 bits; their difference is small, so it survives the wrapping.
    difference = 2 * up * nearest(rate, digits) - (2 * floor + 1) * down * ten
    return difference > 0 or (difference == 0 and floor % 2 != 0)


@kernel
def cents(up: int, down: int, rate: float) -> int:
    """Up / down · repr(rate), rounded to the nearest integer, halves to the even one."""
    if rate == 1.0:
        return divided(up, down)
    size = abs(up)
    value = float(size) * rate / float(down)
    floor = math.floor(value)
    rest = value - floor
    amount = int(floor)
    if abs(rest - 0.5) < 1e-9 + 1e-15 * value:
        is_up = is_beyond_tie(size, down, rate, amount)
    else:
        is_up = rest > 0.5
    if is_up:
        amount += 1
    return amount if up >= 0 else -amount


@kernel
def share(amount: int, part: int, whole: int) -> int:
    """The part of an amount that belongs to `part` of `whole`, to the cent."""
    return divided(amount * part, whole)
