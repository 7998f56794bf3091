"""Hourly tick: files of the inbox become actuals and weather."""

import os
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from wattahead.jobs.events import hour_event
from wattahead.jobs.ingest_inbox import ingest_inbox
from wattahead.jobs.settings import settings
from wattahead.storage.objects import Bucket, open_bucket

logger = Logger(service="ingest")
metrics = Metrics(namespace=os.environ.get("POWERTOOLS_METRICS_NAMESPACE", "wattahead"), service="ingest")


@cache
def bucket() -> Bucket:
    """Return the bucket of this process."""
    return open_bucket(settings().bucket)


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], _context: object) -> dict[str, object]:
    """Answer one event."""
    answer = ingest_inbox(bucket(), hour_event(event), now=settings().now())
    metrics.add_metric(name=answer.outcome, unit=MetricUnit.Count, value=1)
    logger.info("ingest", extra=answer.summary())
    return answer.summary()
