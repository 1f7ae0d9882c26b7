"""News can veto or shrink an entry, never open or enlarge one (ML-089)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_decide import situation
from trading_fixtures import RULES, figures, forecast

from plan2.foundation.errors import InvariantBroken
from plan2.intelligence.decision.decide import decide
from plan2.intelligence.decision.record import Outcome, Reason
from plan2.intelligence.risk.news import NewsShade, NewsShades


@settings(max_examples=60, deadline=None)
@given(
    st.floats(0.0, 1.0),
    st.floats(0.3, 0.7),
    st.floats(0.1, 1.0),
)
def test_an_entry_is_never_opened_nor_enlarged(news, p_up, model) -> None:
    """With news, any decision trades at most what it would trade without, on the same side."""
    plain = situation(forecast(p_up), figures(model_size_factor=model))
    shaded = situation(forecast(p_up), figures(model_size_factor=model, news_size_factor=news))
    before, after = decide(plain, RULES), decide(shaded, RULES)
    if before.order is None:
        assert after.order is None
        return
    if after.order is not None:
        assert after.order.side is before.order.side
        assert after.order.quantity <= before.order.quantity
    if news == 0.0:
        assert after.outcome is Outcome.NOT_TRADED
        assert after.reason is Reason.SIZE_TOO_SMALL
    if news == 1.0:
        assert after.order == before.order


@given(
    st.lists(st.tuples(st.floats(0.0, 1.0), st.integers(1, 100)), max_size=20), st.integers(0, 99)
)
def test_the_strictest_in_force_counts(shades, now_ns) -> None:
    """And nothing of what is over."""
    known = NewsShades()
    for factor, until_ns in shades:
        known.put(NewsShade(symbol="EURUSD", factor=factor, until_ns=until_ns), 0)
    expected = min([factor for factor, until in shades if until > now_ns], default=1.0)
    assert known.factor("EURUSD", now_ns) == expected
    assert known.factor("USDJPY", now_ns) == 1.0


def test_a_factor_above_one_is_a_fault_of_ours() -> None:
    """It is refused where it would be used."""
    with pytest.raises(InvariantBroken, match="enlarge"):
        NewsShades().put(NewsShade(symbol="EURUSD", factor=1.5, until_ns=1), 0)
