"""Times as people write them on the command line."""

from datetime import UTC, datetime

import click

from plan2.foundation.values import NS_PER_SECOND


def instant_ns(text: str) -> int:
    """ISO 8601, UTC unless it says otherwise, as UTC nanoseconds.

    Raises:
        click.BadParameter: it is not ISO 8601.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(
            f"{text!r} is not a time; write 2014-05-01 or 2014-05-01T12:30:00Z."
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int(moment.timestamp() * 1_000_000) * (NS_PER_SECOND // 1_000_000)
