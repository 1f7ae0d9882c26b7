"""What looks like an order of ours at the broker and is none."""

import pytest

from mt5_world import SYMBOLS, mt5_world
from plan2.dataflow.terminals.port import OrderKind, UpdateKind
from plan2.dataflow.terminals.twin import faults as fault
from plan2.dataflow.terminals.twin.options import TwinOptions
from plan2.foundation.values import Side
from simulated_world import order


@pytest.mark.parametrize("comment_keeps", [29, 0])
def test_a_stop_loss_is_not_taken_for_a_close_without_an_answer(comment_keeps: int) -> None:
    """It has our magic, symbol, side and lots, but the broker did it: the close never arrived."""
    venue = mt5_world(TwinOptions(symbols=SYMBOLS, comment_keeps=comment_keeps))
    venue.engine.submit(order(stop_loss=1.0800))
    (held,) = venue.engine.positions() or ()
    venue.world.faults.script("order_send", fault.answers(10031))
    close = order(
        kind=OrderKind.CLOSE, side=Side.SELL, order_id="order-2", position_ticket=held.ticket
    )
    assert venue.engine.submit(close)[0].kind is UpdateKind.UNKNOWN
    venue.quote(1.0790, 1.0791)
    venue.after(31_000)

    trace = venue.engine.trace("token-order-2")
    assert trace is not None
    assert trace.is_empty
    stop = venue.engine.deals(0) or ()
    assert [(one.token, one.reason) for one in stop][1:] == [("token-order-1", "stop_loss")]
