"""The package's records: tuples with names, as CPython's struct sequences are.

Field order and types are those of package 5.0.6231. Such a record is immutable, compares and hashes
as a tuple, is made from exactly one sequence, and has `_asdict()` but none of a namedtuple's other
methods. `_asdict()` is shallow: the request inside a result stays a record.
"""

from collections.abc import Callable, Iterable
from operator import itemgetter
from typing import Any, ClassVar, Final, Self, TypeVar

from plan2.foundation.errors import require

ZEROS: Final = {"b": False, "i": 0, "f": 0.0, "s": "", "r": ()}
"""What a field holds that nobody filled in, by the letter of its type."""
CASTS: Final[dict[str, Callable[[Any], object]]] = {  # Any: what a cast takes
    "b": bool,
    "i": int,
    "f": float,
    "s": str,
    "r": lambda value: value,
}

R = TypeVar("R", bound="StructSequence")


class StructSequence(tuple[Any, ...]):  # Any: a field may be bool, int, float, str or a record
    """A tuple whose places have names; the subclass lists `letter:name` of each."""

    __slots__ = ()
    _layout: ClassVar[tuple[tuple[str, str], ...]] = ()
    n_fields: ClassVar[int] = 0
    n_sequence_fields: ClassVar[int] = 0
    n_unnamed_fields: ClassVar[int] = 0

    def __init_subclass__(cls, fields: str) -> None:
        super().__init_subclass__()
        places = (word.partition(":") for word in fields.split())
        cls._layout = tuple((name, letter) for letter, _, name in places)
        cls.n_fields = cls.n_sequence_fields = len(cls._layout)
        for place, (name, _) in enumerate(cls._layout):
            setattr(cls, name, property(itemgetter(place)))

    def __new__(cls, sequence: Iterable[object]) -> Self:
        """A record of these values, one for each field."""
        made = super().__new__(cls, sequence)
        if len(made) != cls.n_fields:
            raise TypeError(
                f"{cls.__name__}() takes a {cls.n_fields}-sequence ({len(made)}-sequence given)"
            )
        return made

    def __getattr__(self, name: str) -> Any:  # Any: tells the type checker that fields exist
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __repr__(self) -> str:
        pairs = zip(self._layout, self, strict=True)
        inside = ", ".join(f"{name}={value!r}" for (name, _), value in pairs)
        return f"{type(self).__name__}({inside})"

    def _asdict(self) -> dict[str, Any]:  # Any: as the tuple's items
        """Field names and values, in order; records inside stay records."""
        return {name: value for (name, _), value in zip(self._layout, self, strict=True)}

    @classmethod
    def _of(cls, values: dict[str, object]) -> Self:
        unknown = values.keys() - {name for name, _ in cls._layout}
        require(not unknown, f"{cls.__name__} has no field {sorted(unknown)}")
        return cls(
            CASTS[letter](values[name]) if name in values else ZEROS[letter]
            for name, letter in cls._layout
        )


def record(kind: type[R], **values: object) -> R:
    """A record of these fields, each made its type; what is not named is zero or empty."""
    return kind._of(values)  # noqa: SLF001 - hidden so that a record shows what the real one shows


class TerminalInfo(
    StructSequence,
    fields="""
    b:community_account b:community_connection b:connected b:dlls_allowed b:trade_allowed
    b:tradeapi_disabled b:email_enabled b:ftp_enabled b:notifications_enabled b:mqid i:build
    i:maxbars i:codepage i:ping_last f:community_balance f:retransmission s:company s:name
    s:language s:path s:data_path s:commondata_path
""",
):
    """What the terminal says of itself."""

    __slots__ = ()


class AccountInfo(
    StructSequence,
    fields="""
    i:login i:trade_mode i:leverage i:limit_orders i:margin_so_mode b:trade_allowed
    b:trade_expert i:margin_mode i:currency_digits b:fifo_close f:balance f:credit f:profit
    f:equity f:margin f:margin_free f:margin_level f:margin_so_call f:margin_so_so
    f:margin_initial f:margin_maintenance f:assets f:liabilities f:commission_blocked s:name
    s:server s:currency s:company
""",
):
    """The account that the terminal is logged in to."""

    __slots__ = ()


class SymbolInfo(
    StructSequence,
    fields="""
    b:custom i:chart_mode b:select b:visible i:session_deals i:session_buy_orders
    i:session_sell_orders i:volume i:volumehigh i:volumelow i:time i:digits i:spread
    b:spread_float i:ticks_bookdepth i:trade_calc_mode i:trade_mode i:start_time
    i:expiration_time i:trade_stops_level i:trade_freeze_level i:trade_exemode i:swap_mode
    i:swap_rollover3days b:margin_hedged_use_leg i:expiration_mode i:filling_mode i:order_mode
    i:order_gtc_mode i:option_mode i:option_right f:bid f:bidhigh f:bidlow f:ask f:askhigh
    f:asklow f:last f:lasthigh f:lastlow f:volume_real f:volumehigh_real f:volumelow_real
    f:option_strike f:point f:trade_tick_value f:trade_tick_value_profit f:trade_tick_value_loss
    f:trade_tick_size f:trade_contract_size f:trade_accrued_interest f:trade_face_value
    f:trade_liquidity_rate f:volume_min f:volume_max f:volume_step f:volume_limit f:swap_long
    f:swap_short f:margin_initial f:margin_maintenance f:session_volume f:session_turnover
    f:session_interest f:session_buy_orders_volume f:session_sell_orders_volume f:session_open
    f:session_close f:session_aw f:session_price_settlement f:session_price_limit_min
    f:session_price_limit_max f:margin_hedged f:price_change f:price_volatility
    f:price_theoretical f:price_greeks_delta f:price_greeks_theta f:price_greeks_gamma
    f:price_greeks_vega f:price_greeks_rho f:price_greeks_omega f:price_sensitivity s:basis
    s:category s:currency_base s:currency_profit s:currency_margin s:bank s:description
    s:exchange s:formula s:isin s:name s:page s:path
""",
):
    """All that the terminal knows of a symbol."""

    __slots__ = ()


class Tick(
    StructSequence,
    fields="""
    i:time f:bid f:ask f:last i:volume i:time_msc i:flags f:volume_real
""",
):
    """The last quote of a symbol."""

    __slots__ = ()


class TradeOrder(
    StructSequence,
    fields="""
    i:ticket i:time_setup i:time_setup_msc i:time_done i:time_done_msc i:time_expiration i:type
    i:type_time i:type_filling i:state i:magic i:position_id i:position_by_id i:reason
    f:volume_initial f:volume_current f:price_open f:sl f:tp f:price_current f:price_stoplimit
    s:symbol s:comment s:external_id
""",
):
    """An order, working or in history."""

    __slots__ = ()


class TradePosition(
    StructSequence,
    fields="""
    i:ticket i:time i:time_msc i:time_update i:time_update_msc i:type i:magic i:identifier
    i:reason f:volume f:price_open f:sl f:tp f:price_current f:swap f:profit s:symbol s:comment
    s:external_id
""",
):
    """An open position; it has no commission."""

    __slots__ = ()


class TradeDeal(
    StructSequence,
    fields="""
    i:ticket i:order i:time i:time_msc i:type i:entry i:magic i:position_id i:reason f:volume
    f:price f:commission f:swap f:profit f:fee s:symbol s:comment s:external_id
""",
):
    """One execution, or a change of the balance."""

    __slots__ = ()


class TradeRequest(
    StructSequence,
    fields="""
    i:action i:magic i:order s:symbol f:volume f:price f:stoplimit f:sl f:tp i:deviation i:type
    i:type_filling i:type_time i:expiration s:comment i:position i:position_by
""",
):
    """What was asked of the trade server, as the package understood it."""

    __slots__ = ()


class OrderSendResult(
    StructSequence,
    fields="""
    i:retcode i:deal i:order f:volume f:price f:bid f:ask s:comment i:request_id
    i:retcode_external r:request
""",
):
    """The trade server's answer."""

    __slots__ = ()


class OrderCheckResult(
    StructSequence,
    fields="""
    i:retcode f:balance f:equity f:profit f:margin f:margin_free f:margin_level s:comment
    r:request
""",
):
    """Whether a request would pass, and the account after it."""

    __slots__ = ()


class BookInfo(
    StructSequence,
    fields="""
    i:type f:price i:volume f:volume_dbl
""",
):
    """One line of the depth of market."""

    __slots__ = ()


EXPORTED: Final = (
    TerminalInfo,
    AccountInfo,
    SymbolInfo,
    Tick,
    TradeOrder,
    TradePosition,
    TradeDeal,
    TradeRequest,
    OrderSendResult,
    OrderCheckResult,
    BookInfo,
)
"""Every record type of the package."""
