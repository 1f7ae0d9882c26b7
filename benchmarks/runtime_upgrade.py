"""What another ONNX Runtime does to latency and answers: the tables of an upgrade (ML-069).

    python benchmarks/runtime_upgrade.py 1.30.0                      the installed one against it
    python benchmarks/runtime_upgrade.py 1.30.0 --out upgrade.md     the tables as a file, too

The other version is brought into a folder of its own with pip; nothing else differs. With each of
both, all families are trained by the same seed and held against their files by the parity gate.
Then both answer the same hard rows with the files that the other version exported, in turns, so
that neighbours on the machine disturb both alike: read latencies as ratios. Exit code 1 when a file
fails the gate or two answers differ by more than it allows. Some six minutes on two calm cores.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper

from plan2.foundation.instrument import Instrument
from plan2.foundation.values import NS_PER_SECOND, TickBlock
from plan2.intelligence.features.engine import FeatureEngine
from plan2.intelligence.models.session import RecurrentModel, RowModel, open_session
from plan2.intelligence.models.window import WindowModel
from plan2.intelligence.training.parity import DIFFERENCE_MAX, hard_rows
from plan2.intelligence.training.request import TrainRequest
from plan2.intelligence.training.train import train

SYMBOL = "EURUSD"
DAYS = 6
CALLS = 3_000
ROUNDS = 3
OLD, NEW = "old", "new"


def random_walk(seed: int, days: int) -> TickBlock:
    """A driftless market: a tick about every four seconds, half a pip of spread."""
    rng = np.random.default_rng(seed)
    count = days * 86_400 // 4
    ts_ns = np.cumsum(rng.integers(1, 8 * NS_PER_SECOND, count))
    mid = 1.1 * np.exp(np.cumsum(rng.normal(0.0, 4e-5, count)))
    bid = np.round(mid, 5)
    return TickBlock(SYMBOL, ts_ns, bid, bid + 5e-5)


def made(folder: Path, families: tuple[str, ...]) -> None:
    """Train, and keep each family's file, what its gate measured, and rows that are hard for it."""
    instrument = Instrument(symbol=SYMBOL, base="EUR", quote="USD", digits=5)
    block = random_walk(1, DAYS)
    request = TrainRequest(
        symbols=(SYMBOL,), instruments={SYMBOL: instrument}, ts_ns=0, families=families
    )
    report = train(request, {SYMBOL: [block]}, lambda *_: None)
    closed = FeatureEngine(request.plan(), instrument).step_block(block, sample="bars")
    parity = {}
    for model in report.models:
        family = model.manifest.family
        parity[family] = model.manifest.parity.max_difference
        (folder / f"{family}.onnx").write_bytes(model.content)
        rows = rows_for(model.content, closed.values, closed.sequence_closed)
        np.save(folder / f"{family}.npy", rows)
    (folder / "parity.json").write_text(json.dumps(parity), "utf-8")


def rows_for(content: bytes, values: np.ndarray, bars: np.ndarray) -> np.ndarray:
    """float32[n, width]: rows of features on and beside split points, else bars after a state."""
    rng = np.random.default_rng(1)
    served = model_of(content)
    if isinstance(served, RowModel):
        return hard_rows(values.astype(np.float32), split_points(content, served.width), rng)
    no_edges = [np.empty(0, np.float32)] * bars.shape[1]
    hard = hard_rows(bars.astype(np.float32), no_edges, rng)
    if isinstance(served, WindowModel):
        bars_seen = int(open_session(content).get_inputs()[0].shape[1])
        windows = hard[rng.integers(0, len(hard), (len(hard), bars_seen))]
        return windows.reshape(len(hard), -1)
    state = rng.normal(size=(len(hard), len(served.memory) - hard.shape[1])).astype(np.float32)
    return np.concatenate([np.tanh(state), hard], axis=1)


def split_points(content: bytes, width: int) -> list[np.ndarray]:
    """For each feature the values at which a tree of the file splits; empty for other models."""
    found: list[list[float]] = [[] for _ in range(width)]
    for node in onnx.load_from_string(content).graph.node:
        named = {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}
        if "nodes_featureids" not in named:
            continue
        if "nodes_values_as_tensor" in named:
            values = numpy_helper.to_array(named["nodes_values_as_tensor"]).tolist()
        else:
            values = named["nodes_values"]
        modes = named["nodes_modes"]
        for mode, feature, value in zip(modes, named["nodes_featureids"], values, strict=True):
            if mode != b"LEAF":
                found[feature].append(value)
    return [np.unique(np.array(each, np.float32)) for each in found]


def model_of(content: bytes) -> RowModel | RecurrentModel | WindowModel:
    """A file as it is served."""
    session = open_session(content)
    inputs = session.get_inputs()
    if len(inputs) > 1:
        return RecurrentModel(session)
    return RowModel(session) if len(inputs[0].shape) == 2 else WindowModel(session)


def asked(folder: Path, answers: Path) -> None:
    """Answer the rows of every kept file, and time some of them; into `answers`, .npz and .json."""
    found, cpu_us = {}, {}
    for file in sorted(folder.glob("*.onnx")):
        rows, model = np.load(file.with_suffix(".npy")), model_of(file.read_bytes())
        if isinstance(model, RowModel):
            call = model.predict
        else:
            call = lambda row, model=model: model.replay(row.tobytes())  # noqa: E731
        found[file.stem] = np.array([call(row) for row in rows])
        durations = []
        for row in rows[:CALLS]:
            began = time.thread_time_ns()
            call(row)
            durations.append(time.thread_time_ns() - began)
        cpu_us[file.stem] = [float(each) / 1e3 for each in np.percentile(durations, [50, 99])]
    np.savez(answers.with_suffix(".npz"), **found)
    told = {"version": onnxruntime.__version__, "cpu_us": cpu_us}
    answers.with_suffix(".json").write_text(json.dumps(told), "utf-8")


def upgraded(other: str, families: tuple[str, ...], rounds: int) -> tuple[str, bool]:
    """The tables of both versions as Markdown, and whether every answer is the same."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        paths = {OLD: brought(other, folder / "site"), NEW: ""}
        for side, path in paths.items():
            (folder / side).mkdir()
            child(path, "--make", str(folder / side), "--families", ",".join(families))
        for turn in range(rounds):
            for side, path in paths.items():
                for files in paths:
                    out = folder / f"{side}-{files}-{turn}"
                    child(path, "--ask", str(folder / files), "--answers", str(out))
        return tables(folder, rounds)


def brought(version: str, folder: Path) -> str:
    """A folder that holds ONNX Runtime of a version; "" for the installed one."""
    if version == onnxruntime.__version__:
        return ""
    told(f"bringing onnxruntime {version}")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder)]
    subprocess.run([*pip, f"onnxruntime=={version}"], check=True)
    return str(folder)


def child(path: str, *words: str) -> None:
    """Run this script with the packages of a folder before all others."""
    told(f"{'other' if path else 'installed'} runtime: {' '.join(words)}")
    paths = [path, os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
    subprocess.run([sys.executable, __file__, *words], check=True, env=environment)


def tables(folder: Path, rounds: int) -> tuple[str, bool]:
    """Latency by family, the quietest of all rounds, and answers, old beside new."""
    gates = {side: json.loads((folder / side / "parity.json").read_text()) for side in (OLD, NEW)}
    heard: dict[tuple[str, int], list[dict]] = {}
    differences: dict[str, float] = {}
    versions = {}
    for turn in range(rounds):
        for files in (OLD, NEW):
            for side in (OLD, NEW):
                path = folder / f"{side}-{files}-{turn}.json"
                said = json.loads(path.read_text())
                versions[side] = said["version"]
                for k in range(2):
                    heard.setdefault((side, k), []).append(
                        {name: figures[k] for name, figures in said["cpu_us"].items()}
                    )
            one, two = (np.load(folder / f"{side}-{files}-{turn}.npz") for side in (OLD, NEW))
            for name in one.files:
                worst = float(np.max(np.abs(one[name] - two[name])))
                worst = worst if np.isfinite(worst) else float("inf")
                differences[name] = max(differences.get(name, 0.0), worst)
    lines = [
        f"ONNX Runtime {versions[OLD]} → {versions[NEW]}; CPU time of a call in µs",
        "",
        "| family | p50 old | p50 new | new / old | p99 old | p99 new | new / old |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in differences:
        row = [name]
        for k in range(2):
            old, new = (min(each[name] for each in heard[side, k]) for side in (OLD, NEW))
            row += [f"{old:.1f}", f"{new:.1f}", f"{new / old:.2f}"]
        lines.append(f"| {' | '.join(row)} |")
    lines += [
        "",
        "| family | gate, old | gate, new | new against old | allowed | |",
        "|---|---|---|---|---|---|",
    ]
    is_same = True
    for name, worst in differences.items():
        figures = [gates[OLD][name], gates[NEW][name], worst]
        is_kept = all(figure <= DIFFERENCE_MAX for figure in figures)
        is_same &= is_kept
        words = [f"{figure:.1e}" for figure in (*figures, DIFFERENCE_MAX)]
        lines.append(f"| {' | '.join([name, *words, 'kept' if is_kept else 'BROKEN'])} |")
    return "\n".join(lines), is_same


def told(message: str) -> None:
    """Say on stderr what is being done, so that nobody takes a long run for a stuck one."""
    print(message, file=sys.stderr, flush=True)


def main() -> int:
    """Compare; or, as a child, make files or answer rows."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("other", nargs="?", help="the version that the installed one replaces")
    parser.add_argument("--families", default="all", help="with commas between")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--out", type=Path, help="write the tables there, too")
    for hidden in ("--make", "--ask", "--answers"):
        parser.add_argument(hidden, type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    families = tuple(given.families.split(","))
    if given.make is not None:
        made(given.make, families)
        return 0
    if given.ask is not None:
        asked(given.ask, given.answers)
        return 0
    if given.other is None:
        parser.error("say which version the installed one replaces, as 1.30.0")
    text, is_same = upgraded(given.other, families, given.rounds)
    print(text)
    if given.out is not None:
        given.out.write_text(text + "\n", "utf-8")
    return 0 if is_same else 1


if __name__ == "__main__":
    sys.exit(main())
