"""Hourly tick or batch item: features and bundles in, rows of forecasts out."""

import os
from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit

from wattahead.jobs.events import hour_event
from wattahead.jobs.score import Scorer
from wattahead.jobs.settings import settings
from wattahead.storage.objects import open_bucket

logger = Logger(service="score")
metrics = Metrics(namespace=os.environ.get("POWERTOOLS_METRICS_NAMESPACE", "wattahead"), service="score")


@cache
def scorer() -> Scorer:
    """Return the scorer of this process; it keeps verified models while the process is warm."""
    return Scorer(open_bucket(settings().bucket))


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], _context: object) -> dict[str, object]:
    """Answer one event."""
    answer = scorer().score(hour_event(event), now=settings().now())
    metrics.add_metric(name=answer.outcome, unit=MetricUnit.Count, value=1)
    metrics.add_metric(name="rows", unit=MetricUnit.Count, value=answer.rows)
    for name, measure in answer.measures.items():
        metrics.add_metric(name=name, unit=MetricUnit.NoUnit, value=measure)
    logger.info("score", extra=answer.summary())
    return answer.summary()
