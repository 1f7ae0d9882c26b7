"""`plan2 serve`: run the product until it is stopped."""

from pathlib import Path

import click
import msgspec

from plan2.commands.options import data_dir_option, examples, resolve_settings
from plan2.foundation.config.load import Loaded
from plan2.foundation.descriptors import raise_descriptor_limit


@click.command(
    name="serve",
    epilog=examples(
        "plan2 serve",
        "plan2 serve --port 0 --data-dir ./data",
        "plan2 serve --replay EURUSD --from 2014-05-01 --to 2014-05-10 --speed 10",
        "plan2 serve --replay EURUSD --speed max --fresh",
    ),
)
@click.option("--host", help="Address to listen on (default 127.0.0.1, this machine only).")
@click.option("--port", type=click.IntRange(0, 65535), help="Port of the page; 0 = any free one.")
@click.option(
    "--replay",
    "replay_symbols",
    multiple=True,
    metavar="SYMBOL",
    help="Play imported ticks of this symbol instead of the simulated market; repeatable.",
)
@click.option("--from", "start", metavar="TIME", help="First instant of the replay, ISO 8601, UTC.")
@click.option("--to", "end", metavar="TIME", help="End of the replay, exclusive, ISO 8601, UTC.")
@click.option("--speed", metavar="FACTOR|max", help="Market seconds per second, or max.")
@click.option("--fresh", is_flag=True, help="Begin a new replay account instead of resuming.")
@data_dir_option
@click.pass_context
def command(
    ctx: click.Context,
    host: str | None,
    port: int | None,
    replay_symbols: tuple[str, ...],
    start: str | None,
    end: str | None,
    speed: str | None,
    fresh: bool,
    data_dir: Path | None,
) -> None:
    """Run Plan2: market, models, trading and the web page.

    Prints progress, then one address with a sign-in token that works once. Ctrl+C stops in order.
    """
    from plan2.app import ServeRequest, serve
    from plan2.commands.windows import replay_window
    from plan2.foundation.loop import run_async

    loaded = with_address(resolve_settings(ctx, data_dir), host, port)
    replay = None
    if replay_symbols:
        replay = replay_window(replay_symbols, start, end, speed=speed, fresh=fresh)
    elif start or end or fresh:
        raise click.UsageError("--from, --to and --fresh belong to --replay.")
    elif speed is not None:
        loaded = with_speed(loaded, speed)
    raise_descriptor_limit()
    run_async(serve(ServeRequest(loaded=loaded, replay=replay), say))


def with_address(loaded: Loaded, host: str | None, port: int | None) -> Loaded:
    """The configuration with the address given on the command line."""
    given = {"host": host, "port": port}
    changes = {name: value for name, value in given.items() if value is not None}
    server = msgspec.structs.replace(loaded.settings.server, **changes)
    return msgspec.structs.replace(
        loaded, settings=msgspec.structs.replace(loaded.settings, server=server)
    )


def with_speed(loaded: Loaded, speed: str) -> Loaded:
    """The configuration with another speed of the simulated market."""
    from plan2.commands.windows import speed_of

    factor = speed_of(speed)
    if factor is None:
        raise click.UsageError("--speed max belongs to --replay; the simulated market never ends.")
    simulated = msgspec.structs.replace(loaded.settings.simulated, speed=factor)
    return msgspec.structs.replace(
        loaded, settings=msgspec.structs.replace(loaded.settings, simulated=simulated)
    )


def say(text: str) -> None:
    """Tell the person who started us what happens; the log goes beside it."""
    click.echo(text)
