"""Recorded courses of loads and generation, and courses that are made unlike them on purpose."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Chronic:
    """One recorded course of T steps. The simulator's clock knows no zone: it is taken as UTC."""

    first: int  # [µs] of step 0
    step: int  # [µs]
    generator_p: Floats  # (T, G) [MW] as planned; the slack gives what is missing on top
    generator_v: Floats  # (T, G) [kV]
    load_p: Floats  # (T, D) [MW]
    load_q: Floats  # (T, D) [MVAr]

    def __len__(self) -> int:
        return len(self.load_p)

    def with_other_loads(self, factor: float, order: NDArray[np.int64]) -> "Chronic":
        """Return the course with load d following load `order[d]`, at its own mean times `factor`; (D) of `order`.

        Reactive power follows too, in the same proportion. Generation follows the total of all loads, step by step.
        """
        mean = self.load_p.mean(axis=0)
        fits = (mean > 0) & (mean[order] > 0)  # a load that gives or rests has no shape to lend or to take
        order = np.where(fits, order, np.arange(len(order)))
        share = factor * np.where(fits, mean / np.where(fits, mean[order], 1.0), 1.0)
        load_p, load_q = self.load_p[:, order] * share, self.load_q[:, order] * share
        total = self.load_p.sum(axis=1, keepdims=True)
        follows = np.where(total > 0, load_p.sum(axis=1, keepdims=True) / np.where(total > 0, total, 1.0), factor)
        return replace(self, load_p=load_p, load_q=load_q, generator_p=self.generator_p * follows)
