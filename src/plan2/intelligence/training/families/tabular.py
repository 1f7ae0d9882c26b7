"""What the families over one row of features share: rows in, graph out, gate between.

Features are float32 in training as they are in serving, so a value can never fall on different
sides of a threshold in the two.
"""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import onnx

from plan2.foundation.values import Float32Array, Float64Array, Int64Array
from plan2.intelligence.models import trees
from plan2.intelligence.models.manifest import Parity
from plan2.intelligence.models.session import RowModel, open_session
from plan2.intelligence.training import parity
from plan2.intelligence.training.dataset import Dataset
from plan2.intelligence.training.families.family import log_odds

INPUT = "plan2_features"
OUTPUT = "probabilities"
ONNX_OPSET = 15
TREES = "TreeEnsembleClassifier"


@dataclass(frozen=True, slots=True)
class FittedRows:
    """A trained model over rows.

    probabilities: native probabilities of up, float64[n], for float32[n, F]; the reference of the
    parity gate. graph: exports it. edges: of an exported file, for each feature the values at which
    the model changes its mind. constants: the scaler frozen into the graph.
    """

    probabilities: Callable[[Float32Array], Float64Array]
    graph: Callable[[], bytes]
    edges: Callable[[bytes], Sequence[Float32Array]]
    constants: dict[str, tuple[float, ...]] = field(default_factory=dict)

    def logits(self, dataset: Dataset, rows: Int64Array) -> Float64Array:
        """Raw log-odds of up, float64[len(rows)]."""
        return log_odds(self.probabilities(features_of(dataset, rows)))

    def to_onnx(self) -> bytes:
        """One graph for a single row of F float32 features."""
        return self.graph()

    def parity(self, content: bytes, dataset: Dataset, seed: int) -> Parity:
        """Hold the file, as ONNX Runtime and the compiled form serve it, against the library."""
        served = RowModel(open_session(content))
        with contextlib.suppress(trees.NotCompilable):
            trees.compiled(content, served)
        sample = features_of(dataset, dataset.all_rows())
        rows = parity.hard_rows(sample, list(self.edges(content)), np.random.default_rng(seed))
        return parity.check(
            rows, lambda row: served.predict(row.astype(np.float64)), self.probabilities(rows)
        )

    def scaler(self) -> dict[str, tuple[float, ...]]:
        """The constants frozen into the graph."""
        return self.constants


def features_of(dataset: Dataset, rows: Int64Array) -> Float32Array:
    """The features of these rows as they are served: float32[len(rows), F]."""
    return np.asarray(dataset.values[rows], np.float32)


def normalised(weight: Float64Array) -> Float64Array:
    """Weights with a mean of one, which is what regularisation strengths are made for."""
    scaled: Float64Array = weight / weight.mean()
    return scaled


def tree_graph(model: onnx.ModelProto) -> bytes:
    """A converted tree ensemble reduced to its one node and to the probabilities [1, 2].

    Converters add the label and cosmetic nodes; nobody asks for them at every tick.
    """
    graph = model.graph
    (found,) = [node for node in graph.node if node.op_type == TREES]
    node = onnx.NodeProto()
    node.CopyFrom(found)
    node.output[:] = ["plan2_label", OUTPUT]
    del graph.node[:]
    graph.node.append(node)
    del graph.output[:]
    graph.output.append(onnx.helper.make_tensor_value_info(OUTPUT, onnx.TensorProto.FLOAT, [1, 2]))
    del graph.value_info[:]
    return bytes(model.SerializeToString(deterministic=True))


def thresholds_of(content: bytes) -> tuple[Float32Array, ...]:
    """For each feature, the values at which a tree ensemble splits it."""
    graph = onnx.load_from_string(content).graph
    width = graph.input[0].type.tensor_type.shape.dim[1].dim_value
    (node,) = graph.node
    attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    value = np.asarray(attributes["nodes_values"], np.float32)
    feature = np.asarray(attributes["nodes_featureids"], np.int64)
    is_split = np.array([mode != b"LEAF" for mode in attributes["nodes_modes"]])
    is_split &= np.isfinite(value)
    return tuple(np.unique(value[is_split & (feature == column)]) for column in range(width))
