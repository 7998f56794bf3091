"""List prices as data: us-east-1, USD, free tiers excluded, with where each was read.

Only the price of Step Functions was read on a page of AWS. The others come from pages about AWS, and some from memory:
those were not read at all. Check a row before a decision hangs on it.
"""

from dataclasses import dataclass
from typing import Final

REGION: Final = "us-east-1"
READ: Final = "2026-11"
NOT_READ: Final = "not read"
MEMORY: Final = "from memory"


@dataclass(frozen=True)
class Price:
    """What one unit costs [USD]."""

    name: str
    unit: str
    usd: float
    per: float  # units that `usd` buys
    source: str

    @property
    def read(self) -> str:
        """When it was read."""
        return NOT_READ if self.source == MEMORY else READ

    @property
    def each(self) -> float:
        """USD of one unit."""
        return self.usd / self.per


PRICES: Final = {
    price.name: price
    for price in (
        Price("Lambda x86", "GB-second", 0.0000166667, 1, "cloudchipr.com"),
        Price("Lambda call", "1,000,000 calls", 0.20, 1e6, "cloudchipr.com"),
        Price("Step Functions standard", "1,000 transitions", 0.025, 1e3, "aws.amazon.com/step-functions/pricing"),
        Price("S3 PUT or LIST", "1,000 requests", 0.005, 1e3, "cloudkaramchari.com"),
        Price("S3 GET", "1,000 requests", 0.0004, 1e3, MEMORY),
        Price("S3 storage", "GB-month", 0.023, 1, MEMORY),
        Price("CloudWatch logs", "GB taken in", 0.50, 1, "factualminds.com"),
        Price("CloudWatch dashboard", "dashboard-month", 3.00, 1, "factualminds.com"),
        Price("CloudWatch metric", "metric-month", 0.30, 1, "signoz.io"),
        Price("CloudWatch alarm", "metric that an alarm watches, month", 0.10, 1, MEMORY),
        Price("X-Ray", "1,000,000 traces", 5.00, 1e6, MEMORY),
        Price("Fargate vCPU", "vCPU-hour", 0.04048, 1, "vantage.sh"),
        Price("Fargate memory", "GB-hour", 0.004445, 1, "vantage.sh"),
    )
}


def usd(name: str, units: float) -> float:
    """Return what so many units cost [USD]."""
    return PRICES[name].each * units
