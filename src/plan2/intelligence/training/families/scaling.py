"""The scaler of the nets: fitted on training bars only, frozen into the graph."""

import numpy as np

from plan2.foundation.values import Float32Array


def channel_scaler(bars: Float32Array) -> tuple[Float32Array, Float32Array]:
    """Mean and inverse deviation of each channel over float32[m, channels], ignoring NaN."""
    is_known = np.isfinite(bars)
    count = np.maximum(is_known.sum(axis=0), 1)
    known = np.where(is_known, bars, 0.0).astype(np.float64)
    mean = known.sum(axis=0) / count
    deviation = np.sqrt((np.where(is_known, known - mean, 0.0) ** 2).sum(axis=0) / count)
    scale = 1.0 / np.where(deviation > 1e-6, deviation, 1.0)
    return mean.astype(np.float32), scale.astype(np.float32)


def clip_edges(mean: Float32Array, scale: Float32Array, clip: float) -> list[Float32Array]:
    """For each channel, the two values at which its scaled form is cut off."""
    return [
        np.array([m - clip / s, m + clip / s], np.float32) for m, s in zip(mean, scale, strict=True)
    ]
