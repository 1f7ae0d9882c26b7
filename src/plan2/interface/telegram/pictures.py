"""Pictures for chats, drawn by a child process: the trading process never loads a plotting library.

The data travel in a private file, because a command line is seen by every user of the machine.
"""

import asyncio
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Final

import msgspec

from plan2.foundation.log import logger
from plan2.foundation.private_file import write_private
from plan2.foundation.workers import run_worker
from plan2.interface.telegram.picture import Picture

CHILD: Final = "plan2.interface.telegram.picture_child"
TIMEOUT_S: Final = 60.0
MEMORY_MB: Final = 1_024


class Pictures:
    """Draws one picture at a time."""

    def __init__(self) -> None:
        self._turn = asyncio.Semaphore(1)

    async def draw(self, picture: Picture) -> bytes | None:
        """The picture as PNG; None when it could not be made."""
        async with self._turn:
            folder = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix="plan2-picture-"))
            try:
                return await self._drawn(picture, folder)
            finally:
                await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

    async def _drawn(self, picture: Picture, folder: Path) -> bytes | None:
        asked, made = folder / "picture.json", folder / "picture.png"
        await asyncio.to_thread(write_private, asked, msgspec.json.encode(picture))
        argv = [sys.executable, "-m", CHILD, str(asked), str(made)]
        result = await run_worker(argv, lambda _: None, TIMEOUT_S, memory_mb=MEMORY_MB)
        if result.failure is not None:
            logger("telegram").error("picture_failed", reason=result.failure.message)
            return None
        return await asyncio.to_thread(made.read_bytes)
