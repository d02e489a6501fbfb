"""Quantiles of cumulative histograms."""

import math
from collections.abc import Mapping


def quantile(q: float, buckets: Mapping[float, float]) -> float:
    """Return the q-quantile (0 < q < 1) of cumulative buckets (upper boundary to count), in their unit.

    As Prometheus's histogram_quantile does it: the observations of a bucket are taken as spread evenly
    between its boundaries, the lowest bucket starts at 0, and a quantile within the +Inf bucket is given as
    the highest finite boundary. NaN without observations. Raises ValueError where the +Inf bucket is missing.
    """
    boundaries = sorted(buckets)
    if not boundaries or boundaries[-1] != math.inf:
        raise ValueError("a histogram without its +Inf bucket does not tell how many observations there were")
    total = buckets[math.inf]
    if total == 0:
        return math.nan
    rank = q * total
    low, below = 0.0, 0.0
    for high in boundaries[:-1]:
        if buckets[high] >= rank:
            return low + (high - low) * (rank - below) / (buckets[high] - below)
        low, below = high, buckets[high]
    return low
