"""The compiled account of a backtest: an order's whole life in one numpy record, without Python.

Everything inside is an integer: prices in points (netting averages in thousandths of a point), lots
in steps of the symbol's volume step, money in cents of the account's currency, times in nanoseconds
UTC. `open_account` makes the record from a flow and an instrument; a loop then calls, per quote,

    quote(account, ts_ns, bid, ask)    the quote arrives: nights, stops, due requests, stop-out,
                                       equity, drawdown, limits, trailing, partials, time exits
    enter(account, side, lots)         ask for an entry that carries what `account.exits` says
    leave(account, side)               ask to close every position of a side (0: of both)
    finish(account)                    close what is open at the end

and drains the output rows when `quote` says so. Rules, roundings and their order within a quote are
those of the paper broker in `dataflow/terminals/simulated`; a property test holds both together.
"""
