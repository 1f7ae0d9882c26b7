"""Compiled evaluation of a tree ensemble, built from the ONNX file itself.

The ONNX file stays the artefact of record. This evaluator is an accelerator: it is refused when it
differs from ONNX Runtime by more than 1e-6 on rows made from the trees' own thresholds.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import onnx
from numba import njit

from plan2.foundation.errors import ModelMismatch
from plan2.foundation.values import Float32Array, Float64Array
from plan2.intelligence.models.session import RowModel

TOLERANCE = 1e-6
CHECKED_ROWS = 256
DEPTH_MAX = 8

NODE = np.dtype([("value", np.float32), ("code", np.int32)])
"""value: threshold, or the weight of a leaf. code: 2 · feature + (1 if NaN goes left);
-1 for a leaf."""

Nodes = npt.NDArray[np.void]

_TRANSFORMS = ("LOGISTIC", "NONE")


class NotCompilable(ModelMismatch):
    """A model of another form than the compiled evaluators know; ONNX Runtime serves it."""


class Tables(NamedTuple):
    """All trees, padded to the same depth, so that a walk has no branch to mispredict.

    nodes: `NODE`[trees · 2^(depth+1)], each tree as a heap whose root is at 1. base: added to the
    sum of the leaves. is_logit: the sum is the log-odds of up; otherwise it is the probability.
    """

    nodes: Nodes
    depth: int
    base: float
    is_logit: bool


class CompiledTrees:
    """The same question as `RowModel.predict`, answered without leaving compiled code."""

    def __init__(self, tables: Tables, width: int) -> None:
        self.width = width
        self._tables = tables
        self._row = np.zeros(width, np.float32)

    def predict(self, values: Float64Array) -> float:
        """The raw probability of up; values float64[F], rounded to float32 as in training."""
        self._row[:] = values
        return float(_probability(self._row, *self._tables))


def compiled(content: bytes, model: RowModel) -> CompiledTrees:
    """Build the evaluator from the file's bytes and hold it against ONNX Runtime.

    Raises:
        NotCompilable: the file is not a tree ensemble as the families export it, or too deep.
        ModelMismatch: it differs from ONNX Runtime by more than 1e-6 somewhere.
    """
    tables = tables_of(content)
    trees = CompiledTrees(tables, model.width)
    worst = max(
        abs(trees.predict(row) - model.predict(row)) for row in _check_rows(tables, model.width)
    )
    if not worst <= TOLERANCE:
        raise ModelMismatch(
            f"Compiled trees differ from ONNX Runtime by {worst:.2e}, allowed is {TOLERANCE:.0e}.",
            remedy="ONNX Runtime can serve the model without them.",
        )
    return trees


def tables_of(content: bytes) -> Tables:
    """The node tables of an ONNX file with one TreeEnsembleClassifier for two classes.

    `x <= t` is the same as `x < (next float32 above t)`, so one kind of node serves all exporters.

    Raises:
        NotCompilable: the file holds anything else, or trees too deep to be padded.
    """
    nodes = [node for node in onnx.load_from_string(content).graph.node if node.attribute]
    if len(nodes) != 1 or nodes[0].op_type != "TreeEnsembleClassifier":
        raise NotCompilable(
            f"Expected one TreeEnsembleClassifier, found {[node.op_type for node in nodes]}."
        )
    attributes = {a.name: onnx.helper.get_attribute_value(a) for a in nodes[0].attribute}
    modes = {mode.decode() for mode in attributes["nodes_modes"]} - {"LEAF"}
    transform = attributes.get("post_transform", b"NONE").decode()
    if not (modes <= {"BRANCH_LT"} or modes <= {"BRANCH_LEQ"}) or transform not in _TRANSFORMS:
        raise NotCompilable(f"Found nodes {sorted(modes)}, output transformed by {transform}.")
    if len(set(attributes["class_ids"])) != 1 or len(attributes["classlabels_int64s"]) != 2:
        raise NotCompilable("Expected one weight for each leaf, that of the class up.")
    links = _Links(attributes)
    depth = max(links.depth_below(root) for root in links.roots)
    if depth > DEPTH_MAX:
        raise NotCompilable(f"Trees of depth {depth} are too deep, at most {DEPTH_MAX} is allowed.")
    heaps = np.zeros((len(links.roots), 2 << depth), NODE)
    heaps["code"] = -1
    for heap, root in zip(heaps, links.roots, strict=True):
        links.fill(heap, 1, root, depth)
    base = float(attributes.get("base_values", [0.0])[0])
    return Tables(heaps.reshape(-1), depth, base, transform == "LOGISTIC")


class _Links:
    """The nodes as the ONNX file lists them, with children found by position."""

    def __init__(self, attributes: dict[str, Any]) -> None:  # values of ONNX attributes
        tree = np.asarray(attributes["nodes_treeids"], np.int64)
        stride = int(max(attributes["nodes_nodeids"])) + 1
        place = np.full((int(tree.max()) + 1) * stride, -1, np.int64)
        place[tree * stride + attributes["nodes_nodeids"]] = np.arange(len(tree))
        self.roots = [int(root) for root in place.reshape(-1, stride)[:, 0]]
        self._left = place[tree * stride + attributes["nodes_truenodeids"]]
        self._right = place[tree * stride + attributes["nodes_falsenodeids"]]
        self._is_leaf = np.array([mode == b"LEAF" for mode in attributes["nodes_modes"]])
        self._value = np.asarray(attributes["nodes_values"], np.float32).copy()
        if b"BRANCH_LEQ" in attributes["nodes_modes"]:
            self._value = np.nextafter(self._value, np.float32(np.inf))
        leaf_tree = np.asarray(attributes["class_treeids"], np.int64)
        leaf = place[leaf_tree * stride + attributes["class_nodeids"]]
        self._value[leaf] = attributes["class_weights"]
        nan_left = np.asarray(attributes["nodes_missing_value_tracks_true"], np.int64)
        self._code = 2 * np.asarray(attributes["nodes_featureids"], np.int64) + nan_left

    def depth_below(self, node: int) -> int:
        if self._is_leaf[node]:
            return 0
        children = (int(self._left[node]), int(self._right[node]))
        return 1 + max(self.depth_below(child) for child in children)

    def fill(self, heap: Nodes, place: int, node: int, levels: int) -> None:
        """Write the tree below `node`; a leaf above the last level is repeated downward."""
        if levels == 0:
            heap[place] = (self._value[node], -1)
        elif self._is_leaf[node]:
            heap[place] = (np.inf, 1)
            self.fill(heap, 2 * place, node, levels - 1)
            self.fill(heap, 2 * place + 1, node, levels - 1)
        else:
            heap[place] = (self._value[node], self._code[node])
            self.fill(heap, 2 * place, int(self._left[node]), levels - 1)
            self.fill(heap, 2 * place + 1, int(self._right[node]), levels - 1)


def _check_rows(tables: Tables, width: int) -> Float64Array:
    """Rows whose features lie exactly on thresholds, one float32 step beside, or are missing."""
    rng = np.random.default_rng(0)
    rows = np.full((CHECKED_ROWS, width), np.nan)
    is_branch = np.isfinite(tables.nodes["value"]) & (tables.nodes["code"] >= 0)
    branches = tables.nodes[is_branch]
    for feature in np.unique(branches["code"] >> 1):
        candidates = branches["value"][branches["code"] >> 1 == feature]
        thresholds = rng.choice(candidates, CHECKED_ROWS)
        direction = rng.choice(np.array([-np.inf, np.inf], np.float32), CHECKED_ROWS)
        kind = rng.random(CHECKED_ROWS)
        values = np.where(kind < 0.45, thresholds, np.nextafter(thresholds, direction))
        rows[:, feature] = np.where(kind < 0.9, values, np.nan)
    return rows


@njit(cache=True)
def _probability(row: Float32Array, nodes: Nodes, depth: int, base: float, is_logit: bool) -> float:
    total = np.float32(base)
    size = 2 << depth
    for start in range(0, nodes.shape[0], size):
        place = 1
        for _ in range(depth):
            node = nodes[start + place]
            x = row[node.code >> 1]
            is_right = (x >= node.value) | (np.isnan(x) & ((node.code & 1) == 0))
            place = 2 * place + is_right
        total += nodes[start + place].value
    if is_logit:
        return float(1.0 / (1.0 + np.exp(-np.float64(total))))
    return float(total)
