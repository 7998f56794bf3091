"""The built-in generator: production and weather without a network, for the first run, tests and drills.

It supports plumbing, schedules and drills, never a claim about accuracy: it has no curtailment, outage, label error or
daylight saving time unless a fault of `faults` puts it there.
"""

from wattahead.sources.synthetic.files import write
from wattahead.sources.synthetic.generator import Synthetic, generate

__all__ = ["Synthetic", "generate", "write"]
