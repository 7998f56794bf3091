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

    def with_other_loads(
        self, factor: float, order: NDArray[np.int64], lender: "Chronic | None" = None, offset: int = 0
    ) -> "Chronic":
        """Return the course with load d following load `order[d]` of a lender, at its own mean times `factor`.

        `order` (D); `lender` is another course, perhaps of another environment, read from its step `offset` on and
        from its beginning again behind its end; without one, the course itself. Reactive power follows too, in the
        lender's proportion. Generation follows the total of all loads, step by step.
        """
        other = lender or self
        steps = (np.arange(len(self)) + offset) % len(other)
        mean, theirs = self.load_p.mean(axis=0), other.load_p.mean(axis=0)[order]
        fits = (mean > 0) & (theirs > 0)  # a load that gives or rests has no shape to lend or to take
        share = factor * np.where(fits, mean / np.where(fits, theirs, 1.0), 0.0)
        load_p, load_q = (
            np.where(fits, lent[steps][:, order] * share, own * factor)
            for lent, own in ((other.load_p, self.load_p), (other.load_q, self.load_q))
        )
        total = self.load_p.sum(axis=1, keepdims=True)
        follows = np.where(total > 0, load_p.sum(axis=1, keepdims=True) / np.where(total > 0, total, 1.0), factor)
        return replace(self, load_p=load_p, load_q=load_q, generator_p=self.generator_p * follows)
