"""Sets the clock of a test's processes to another day, so that no test depends on the weekday.

`TEST_CLOCK_SHIFT_NS` in the environment is added to the machine's time; everything of Plan2 that
asks for the time asks this function.
"""

import os
import time

SHIFT_NS = int(os.environ.get("TEST_CLOCK_SHIFT_NS", "0"))

if SHIFT_NS:
    machine_ns = time.time_ns  # noqa: TID251 - this is where the clock itself is set
    time.time_ns = lambda: machine_ns() + SHIFT_NS  # noqa: TID251 - as above
