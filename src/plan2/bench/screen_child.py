"""The other process of the stream benchmark: many screens, as light as they can be."""

import asyncio
import sys

import msgspec
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from plan2.bench.screens import Seen
from plan2.foundation.clock import stopwatch_ns

SUBSCRIBE = msgspec.msgpack.encode([65, 0, 1, 0, {"channel": "quotes"}])
SNAPSHOT, DELTA = 1, 2
ACK_EVERY = 25


async def watch(url: str, offset_us: int, seen: Seen, counting: asyncio.Event) -> None:
    """One screen: follow the quotes until cancelled."""
    decode = msgspec.msgpack.Decoder().decode
    last = acked = 0
    address = url.replace("http", "ws", 1) + "/api/v1/stream"
    spoken = [Subprotocol("plan2.v1")]
    async with connect(
        address,
        additional_headers={"Origin": url},
        subprotocols=spoken,
        compression=None,
    ) as socket:
        await socket.send(SUBSCRIBE)
        async for message in socket:
            frame = decode(message if isinstance(message, bytes) else message.encode())
            kind, channel, seq = frame[0], frame[1], frame[2]
            if kind not in {SNAPSHOT, DELTA}:
                continue
            if counting.is_set() and kind == DELTA:
                newest_us = max(row[1] for row in frame[4])
                seen.delays_us.append(stopwatch_ns() // 1000 + offset_us - newest_us)
                seen.gaps += bool(seq) and seq != last + 1
            last = seq
            if seq - acked >= ACK_EVERY:
                acked = seq
                await socket.send(msgspec.msgpack.encode([67, 0, 0, 0, [[channel, seq]]]))


async def run(url: str, screens: int, times_s: tuple[float, float], offset: int) -> Seen:
    """Connect all screens, let them settle, count for a while."""
    seen, counting = Seen(), asyncio.Event()
    tasks = [asyncio.create_task(watch(url, offset, seen, counting)) for _ in range(screens)]
    seconds, settle_s = times_s
    await asyncio.sleep(settle_s)
    counting.set()
    await asyncio.sleep(seconds)
    counting.clear()
    seen.lost = sum(task.done() for task in tasks)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return seen


if __name__ == "__main__":
    where, count, seconds, settle, shift = sys.argv[1:]
    found = asyncio.run(run(where, int(count), (float(seconds), float(settle)), int(shift)))
    sys.stdout.buffer.write(msgspec.json.encode(found))
