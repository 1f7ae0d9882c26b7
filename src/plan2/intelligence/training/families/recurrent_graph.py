"""An LSTM as an ONNX graph of a single step: state in, state out, scaler inside.

The cell is spelled out because the exporter wraps its LSTM node in a dozen reshapes that cost more
than the arithmetic.
"""

import torch
from torch import nn
from torch.nn import functional

from plan2.intelligence.training.families.torch_graph import exported

SEQUENCE, HIDDEN, CELL = "plan2_sequence", "plan2_hidden", "plan2_cell"
PROBABILITY, HIDDEN_NEXT, CELL_NEXT = "plan2_probability", "plan2_hidden_next", "plan2_cell_next"


class _Step(nn.Module):
    """The same arithmetic as `recurrent.Network` for one bar and a batch of one."""

    mean: torch.Tensor
    scale: torch.Tensor

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        buffers = dict(network.named_buffers())
        weights = {name: value.detach() for name, value in network.named_parameters()}
        self.register_buffer("mean", buffers["mean"])
        self.register_buffer("scale", buffers["scale"])
        gates = torch.cat([weights["lstm.weight_ih_l0"], weights["lstm.weight_hh_l0"]], 1)
        self.gates = nn.Parameter(gates)
        self.bias = nn.Parameter(weights["lstm.bias_ih_l0"] + weights["lstm.bias_hh_l0"])
        self.head_weight = nn.Parameter(weights["head.weight"])
        self.head_bias = nn.Parameter(weights["head.bias"])

    def forward(
        self, sequence: torch.Tensor, hidden: torch.Tensor, cell: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        is_missing = torch.isnan(sequence)
        scaled = ((sequence - self.mean) * self.scale).clamp(-5.0, 5.0)
        known = torch.where(is_missing, 0.0, scaled)
        joined = torch.cat([known, is_missing.to(known.dtype), hidden], 1)
        enter, forget, candidate, leave = functional.linear(joined, self.gates, self.bias).chunk(
            4, 1
        )
        cell = torch.sigmoid(forget) * cell + torch.sigmoid(enter) * torch.tanh(candidate)
        hidden = torch.sigmoid(leave) * torch.tanh(cell)
        logit = functional.linear(hidden, self.head_weight, self.head_bias)
        return torch.sigmoid(logit), hidden, cell


def step_graph(network: nn.Module) -> bytes:
    """The ONNX file of one step; the same network gives the same bytes."""
    step = _Step(network)
    channels, hidden = len(step.mean), step.head_weight.shape[1]
    example = (torch.zeros(1, channels), torch.zeros(1, hidden), torch.zeros(1, hidden))
    return exported(step, example, (SEQUENCE, HIDDEN, CELL), (PROBABILITY, HIDDEN_NEXT, CELL_NEXT))
