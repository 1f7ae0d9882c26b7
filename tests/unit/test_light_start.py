"""A backtest's process starts without what it does not need."""

import subprocess
import sys
from pathlib import Path

SCRIPT = """
import sys
from pathlib import Path
from plan2.intelligence.backtest.feeds import Blocks
from plan2.intelligence.backtest.run_flow import run_flow
from plan2.intelligence.flows.check import made_up
from plan2.foundation.instrument import Instrument
from plan2.foundation.values import TickBlock
from plan2.intelligence.flows.flow import read_flow

instrument = Instrument(symbol="EURUSD", base="EUR", quote="USD", digits=5)
ticks = made_up(instrument).part(0, 2_000)
block = TickBlock("EURUSD", ticks.ts_ns, ticks.bid / 1e5, ticks.ask / 1e5)
flow = read_flow(Path(sys.argv[1]))
assert run_flow(flow, Blocks("EURUSD", lambda: iter([block])), instrument).ticks == 2_000
heavy = {"scipy.linalg", "pandas", "matplotlib", "sklearn", "torch", "onnxruntime", "sqlalchemy"}
print(sorted(heavy & set(sys.modules)))
import scipy.linalg.cython_blas
"""


def test_a_flow_runs_without_linear_algebra_models_or_pictures() -> None:
    """And SciPy's linear algebra can be had afterwards."""
    flow = str(Path(__file__).parents[2] / "docs/flows/ema-cross.toml")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, flow], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
