"""An explained decision as a person reads it in a terminal."""

from datetime import UTC, datetime

from plan2.intelligence.decision.record import DecisionRecord
from plan2.intelligence.risk.parts import Check
from plan2.wiring.inquiry import Explained


def text_of(explained: Explained) -> str:
    """The whole story of a decision in lines."""
    record = explained.record
    moment = datetime.fromtimestamp(record.ts_ns / 1e9, UTC)
    lines = [
        record.sentence,
        "",
        f"decision    {record.decision_id}",
        f"time        {moment:%Y-%m-%d %H:%M:%S.%f} UTC (market time)",
        f"account     {record.account_id}, tenant {record.tenant_id}",
        f"tick        {record.symbol} bid {record.tick.bid:g} ask {record.tick.ask:g}",
        f"outcome     {record.outcome.value}, reason {record.reason.value}",
        *_forecast(record),
        *_edge(record),
        *(_check(item) for item in record.checks),
        *_features(explained),
        *_followed(explained),
        "",
        _verdict(explained),
    ]
    return "\n".join(lines)


def _forecast(record: DecisionRecord) -> list[str]:
    forecast = record.forecast
    if forecast is None:
        return ["forecast    none: no model is loaded"]
    if forecast.abstained:
        return [f"forecast    none: {forecast.abstained}"]
    proposition = (
        f"that the mid rises {forecast.barrier:.5g} before it falls as much, "
        f"within {forecast.horizon_s // 60} min"
    )
    lines = [f"forecast    {forecast.p_up:.5f} ± {forecast.standard_error:.5f} {proposition}"]
    lines += [
        f"  vote      {vote.model_id}: raw {vote.raw:.5f}, calibrated {vote.calibrated:.5f}, "
        f"weight {vote.weight:.2f} {vote.abstained}".rstrip()
        for vote in forecast.votes
    ]
    return lines


def _edge(record: DecisionRecord) -> list[str]:
    lines = []
    edge, size = record.edge, record.size
    if edge is not None:
        lines.append(
            f"edge        side {'buy' if edge.side > 0 else 'sell'}, p {edge.p:.5f}, cost "
            f"{edge.cost:.6g}, expected {edge.ev:+.6g}, at the lower bound {edge.ev_lcb:+.6g}"
        )
    if size is not None:
        lines.append(f"size        {size.quantity:g} lots, bound by {size.binding}")
        caps = sorted(size.caps.items(), key=lambda item: item[1])
        lines += [f"  cap       {name} {lots:.4g} lots" for name, lots in caps]
    return lines


def _check(item: Check) -> str:
    mark = "passed" if item.passed else "FAILED"
    return f"  check     {mark} {item.rule}: {item.value:g}, limit {item.limit:g}"


def _features(explained: Explained) -> list[str]:
    part = explained.record.features
    if len(explained.feature_names) != len(part.values):
        return [f"features    {len(part.values)} values, sha256 {part.sha256[:16]}"]
    pairs = zip(explained.feature_names, part.values, strict=True)
    shown = [f"  {name:<28}{'-' if value is None else f'{value:.6g}'}" for name, value in pairs]
    return [f"features    {len(shown)} values, sha256 {part.sha256[:16]}", *shown]


def _followed(explained: Explained) -> list[str]:
    return [
        f"then        {item['event']} (event {item['position']})"
        + "".join(
            f", {name} {item[name]}"
            for name in ("side", "quantity", "executed_price", "profit", "reason")
            if item.get(name) not in {None, ""}
        )
        for item in sorted(explained.followed, key=lambda item: int(str(item["position"])))
    ]


def _verdict(explained: Explained) -> str:
    if explained.replayed.identical:
        return "Taken again from its record: identical, bit for bit."
    return "Taken again from its record: DIFFERENT.\n  " + "\n  ".join(
        explained.replayed.differences
    )
