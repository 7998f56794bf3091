"""After the batches: is the hour whole?"""

import os
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from wattahead.jobs.events import hour_event
from wattahead.jobs.finish import finish
from wattahead.jobs.settings import settings
from wattahead.storage.objects import Bucket, open_bucket

logger = Logger(service="finish")
metrics = Metrics(namespace=os.environ.get("POWERTOOLS_METRICS_NAMESPACE", "wattahead"), service="finish")


@cache
def bucket() -> Bucket:
    """Return the bucket of this process."""
    return open_bucket(settings().bucket)


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], _context: object) -> dict[str, object]:
    """Answer one event."""
    answer = finish(bucket(), hour_event(event), now=settings().now())
    metrics.add_metric(name=answer.outcome, unit=MetricUnit.Count, value=1)
    for name, measure in answer.measures.items():
        metrics.add_metric(name=name, unit=MetricUnit.NoUnit, value=measure)
    logger.info("finish", extra=answer.summary())
    return answer.summary()
