"""The tables of an upgrade of ONNX Runtime: both at the same files, and what is refused."""

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "runtime_upgrade.py"
spec = importlib.util.spec_from_file_location("runtime_upgrade", SCRIPT)
assert spec is not None
assert spec.loader is not None
upgrade = importlib.util.module_from_spec(spec)
spec.loader.exec_module(upgrade)


def told(folder: Path, answers: dict[str, list[float]], gate: float = 1e-7) -> tuple[str, bool]:
    """Tables of one round in which the new runtime gives these answers and the old one halves."""
    for side in ("old", "new"):
        (folder / side).mkdir()
        (folder / side / "parity.json").write_text(json.dumps(dict.fromkeys(answers, gate)))
        speed = {"old": 20.0, "new": 30.0}[side]
        for files in ("old", "new"):
            said = {"version": side, "cpu_us": {name: [speed, 2 * speed] for name in answers}}
            out = folder / f"{side}-{files}-0"
            out.with_suffix(".json").write_text(json.dumps(said))
            given = {k: np.array(v if side == "new" else [0.5, 0.5]) for k, v in answers.items()}
            np.savez(out.with_suffix(".npz"), **given)
    return upgrade.tables(folder, 1)


def test_latency_and_answers_stand_side_by_side(tmp_path: Path) -> None:
    """Half as slow again is told, and stops nothing by itself."""
    text, is_same = told(tmp_path, {"lstm": [0.5, 0.500002]})
    assert is_same
    assert "ONNX Runtime old → new" in text
    assert "| lstm | 20.0 | 30.0 | 1.50 | 40.0 | 60.0 | 1.50 |" in text
    assert "| lstm | 1.0e-07 | 1.0e-07 | 2.0e-06 | 1.0e-05 | kept |" in text


@pytest.mark.parametrize(
    ("answers", "gate"), [([0.5, 0.50002], 1e-7), ([0.5, np.nan], 1e-7), ([0.5, 0.5], 2e-5)]
)
def test_another_answer_is_refused(tmp_path: Path, answers: list[float], gate: float) -> None:
    """More than the gate allows between both, no number at all, or against the trained model."""
    text, is_same = told(tmp_path, {"xgboost": answers}, gate)
    assert not is_same
    assert text.endswith("| BROKEN |")


def test_split_points_are_those_of_the_file() -> None:
    """Two splits of two features by hand; leaves have none."""
    tree = onnx.helper.make_node(
        "TreeEnsembleClassifier",
        ["x"],
        ["label", "probabilities"],
        domain="ai.onnx.ml",
        nodes_featureids=[2, 0, 0, 0, 0],
        nodes_modes=["BRANCH_LT", "BRANCH_LT", "LEAF", "LEAF", "LEAF"],
        nodes_values=[1.5, -0.25, 0.0, 0.0, 0.0],
    )
    graph = onnx.helper.make_graph([tree], "g", [], [])
    content = onnx.helper.make_model(graph).SerializeToString()
    found = [each.tolist() for each in upgrade.split_points(content, 3)]
    assert found == [[-0.25], [], [1.5]]


@pytest.mark.slow
def test_a_runtime_agrees_with_itself(tmp_path: Path) -> None:
    """The whole way: trained twice, asked in turns by processes of their own; a file of tables."""
    out = tmp_path / "upgrade.md"
    words = [sys.executable, str(SCRIPT), onnxruntime.__version__, "--families", "logistic"]
    done = subprocess.run([*words, "--rounds", "1", "--out", str(out)], check=False)
    assert done.returncode == 0
    gate = r"\| logistic \| (\S+) \| \1 \| 0\.0e\+00 \| 1\.0e-05 \| kept \|"
    assert re.search(gate, out.read_text("utf-8"))
