"""A torch module as one self-contained ONNX file that says nothing about this machine.

Inputs and outputs have names that start with `plan2_`: an output that shares its name with a
parameter makes the exporter write an invalid file (pytorch issue 158094).
"""

import logging
import warnings
from collections.abc import Sequence

import torch
from torch import nn

from plan2.foundation.errors import InvariantBroken, require

PREFIX = "plan2_"


def exported(
    module: nn.Module,
    example: tuple[torch.Tensor, ...],
    inputs: Sequence[str],
    outputs: Sequence[str],
) -> bytes:
    """The ONNX file of a module for inputs of exactly the shapes of `example`.

    The same module gives the same bytes.
    """
    names = (*inputs, *outputs)
    require(all(name.startswith(PREFIX) for name in names), f"names start with plan2_: {names}")
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter warns about its own deprecations
        program = torch.onnx.export(
            module.eval(),
            example,
            dynamo=True,
            external_data=False,
            verbose=False,
            input_names=list(inputs),
            output_names=list(outputs),
        )
    if program is None:
        raise InvariantBroken(f"torch exported no program for {type(module).__name__}")
    model = program.model_proto
    for node in model.graph.node:
        # The exporter writes stack traces with the paths of this machine into each node.
        del node.metadata_props[:]
        node.doc_string = ""
    del model.metadata_props[:]
    del model.graph.metadata_props[:]
    for value in (*model.graph.input, *model.graph.output, *model.graph.value_info):
        del value.metadata_props[:]
    return bytes(model.SerializeToString(deterministic=True))
