"""Hourly tick: pin the hour in a plan, and name what earlier hours still lack."""

import os
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from wattahead.jobs.events import hour_event
from wattahead.jobs.plan import plan
from wattahead.jobs.settings import settings
from wattahead.storage.objects import Bucket, open_bucket

logger = Logger(service="plan")
metrics = Metrics(namespace=os.environ.get("POWERTOOLS_METRICS_NAMESPACE", "wattahead"), service="plan")


@cache
def bucket() -> Bucket:
    """Return the bucket of this process."""
    return open_bucket(settings().bucket)


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], _context: object) -> dict[str, object]:
    """Answer one event."""
    answer = plan(bucket(), hour_event(event), now=settings().now())
    metrics.add_metric(name=answer.outcome, unit=MetricUnit.Count, value=1)
    logger.info("plan", extra=answer.summary())
    return answer.summary()
