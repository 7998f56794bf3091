"""What building the features of an hour has in common, whatever the workload."""

from dataclasses import dataclass

from wattahead.domain.hours import duration
from wattahead.domain.plan import Batch, HourEvent, Plan
from wattahead.jobs.hour import Attempt, run_id
from wattahead.storage.ledger import Outcome
from wattahead.storage.objects import Bucket


@dataclass(frozen=True)
class Building:
    """What one call is about."""

    bucket: Bucket
    event: HourEvent
    now: int
    plan: Plan
    digest: str

    def attempt(self, batch: Batch) -> Attempt:
        """Begin to measure the work on one batch."""
        return Attempt(self.bucket, "features", self.event, self.now, batch.name)

    def is_early(self, pool: str) -> bool:
        """Return whether late sources are still waited for."""
        return self.now < self.plan.issue_time + duration(self.plan.pools[pool].pool.input_deadline)

    def waits_for_rows(self, pool: str) -> bool:
        """Return whether rows of earlier stages are waited for.

        Who asks for one batch has run the stages before; who asks for the hour has not, unless it is the last attempt.
        """
        return self.is_early(pool) or not (self.event.batch or self.event.final_attempt)

    def wait(self, attempt: Attempt, batch: Batch) -> Outcome:
        """Record that a batch is left for later."""
        attempt.record("waiting", run_id=run_id(self.digest, batch.name), outcomes={"waiting": batch.series})
        return "waiting"
