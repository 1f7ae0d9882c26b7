"""How torch is used here: one thread, a seed that stays inside, a GPU where there is one."""

import contextlib
from collections.abc import Iterator
from typing import Literal

import torch

from plan2.foundation.errors import ConfigError
from plan2.foundation.log import logger

Device = Literal["auto", "cpu", "cuda"]


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw torch's random numbers from this seed, and leave its own state as it was.

    On GPUs too, but only where something has started CUDA already: the seed of a GPU that was not
    started is put off until it is, and starting one takes seconds and hundreds of megabytes.
    """
    has_started: bool = torch.cuda.is_initialized()  # type: ignore[no-untyped-call]
    gpus = range(torch.cuda.device_count()) if has_started else ()
    with torch.random.fork_rng(devices=list(gpus)):
        torch.manual_seed(seed)
        yield


def chosen_device(wanted: Device) -> str:
    """The device that nets are trained on: "cuda" or "cpu".

    Raises:
        ConfigError: a GPU is demanded and torch finds none.
    """
    has_gpu = torch.cuda.is_available()
    if wanted == "cuda" and not has_gpu:
        raise ConfigError(
            "models.device is cuda, but torch finds no GPU that it can use.",
            remedy='Set models.device = "auto", which trains on the CPU then.',
        )
    if wanted == "auto" and not has_gpu:
        logger("training").info("no_gpu_training_on_cpu", device="cpu")
    return "cuda" if has_gpu and wanted != "cpu" else "cpu"
