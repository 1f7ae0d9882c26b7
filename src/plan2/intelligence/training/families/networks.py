"""The nets over a window of bars: dilated convolutions, and a small transformer.

Both scale inside, replace what is undefined by 0 and say so in a mask, and give one logit for the
last bar of the window.
"""

import torch
from torch import nn
from torch.nn import functional

from plan2.foundation.values import Float32Array

BARS = 60
CLIP = 5.0


class Scaled(nn.Module):
    """Channels [batch, bars, c] → scaled channels and masks [batch, bars, 2c]."""

    mean: torch.Tensor
    scale: torch.Tensor

    def __init__(self, mean: Float32Array, scale: Float32Array) -> None:
        super().__init__()
        self.register_buffer("mean", torch.from_numpy(mean))
        self.register_buffer("scale", torch.from_numpy(scale))

    def forward(self, window: torch.Tensor) -> torch.Tensor:
        """(x − mean) · scale, cut off at ±5."""
        is_missing = torch.isnan(window)
        scaled = ((window - self.mean) * self.scale).clamp(-CLIP, CLIP)
        known = torch.where(is_missing, 0.0, scaled)
        return torch.cat([known, is_missing.to(known.dtype)], -1)


class Convolutions(nn.Module):
    """Three dilated convolutions; the last bar sees the 53 before it, and nothing is padded."""

    KERNEL = 5
    DILATIONS = (1, 3, 9)

    def __init__(self, scaled: Scaled, width: int, dropout: float) -> None:
        super().__init__()
        self.scaled = scaled
        widths = (2 * len(scaled.mean), width, width)
        self.layers = nn.ModuleList(
            nn.Conv1d(before, width, self.KERNEL, dilation=dilation)
            for before, dilation in zip(widths, self.DILATIONS, strict=True)
        )
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(width, 1)

    def forward(self, window: torch.Tensor) -> torch.Tensor:
        """Logits [batch, 1] of up for [batch, bars, channels]."""
        seen = 1 + (self.KERNEL - 1) * sum(self.DILATIONS)
        hidden = self.scaled(window[:, -seen:]).transpose(1, 2)
        for layer in self.layers:
            hidden = functional.gelu(layer(hidden))
        logits: torch.Tensor = self.head(self.dropout(hidden[:, :, -1]))
        return logits


class _Block(nn.Module):
    """Attention and a small net, each added to what comes in (pre-norm)."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.mix, self.merge = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.widen, self.narrow = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, hidden: torch.Tensor) -> torch.Tensor:
        batch, bars, width = hidden.shape
        shape = (batch, bars, self.heads, width // self.heads)
        parts = self.mix(self.before(hidden)).chunk(3, -1)
        query, key, value = (part.reshape(shape).transpose(1, 2) for part in parts)
        seen = functional.scaled_dot_product_attention(query, key, value)
        seen = seen.transpose(1, 2).reshape(batch, bars, width)
        hidden = hidden + self.dropout(self.merge(seen))
        grown = functional.gelu(self.widen(self.between(hidden)))
        result: torch.Tensor = hidden + self.dropout(self.narrow(grown))
        return result


class Attention(nn.Module):
    """A transformer encoder with learned positions; the last bar speaks."""

    def __init__(self, scaled: Scaled, width: int, heads: int, layers: int, dropout: float) -> None:
        super().__init__()
        self.scaled = scaled
        self.enter = nn.Linear(2 * len(scaled.mean), width)
        self.place = nn.Parameter(torch.randn(1, BARS, width) * 0.02)
        self.blocks = nn.ModuleList(_Block(width, heads, dropout) for _ in range(layers))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, 1)

    def forward(self, window: torch.Tensor) -> torch.Tensor:
        """Logits [batch, 1] of up for [batch, bars, channels]."""
        hidden = self.enter(self.scaled(window)) + self.place
        for block in self.blocks:
            hidden = block(hidden)
        logits: torch.Tensor = self.head(self.norm(hidden[:, -1]))
        return logits
