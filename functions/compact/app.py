"""Hourly tick, between two hours: days in many objects get copies in few."""

from functools import cache
from typing import Any

from aws_lambda_powertools import Logger

from wattahead.jobs.compact import compact
from wattahead.jobs.events import hour_event
from wattahead.jobs.settings import settings
from wattahead.storage.objects import Bucket, open_bucket

logger = Logger(service="compact")


@cache
def bucket() -> Bucket:
    """Return the bucket of this process."""
    return open_bucket(settings().bucket)


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: object) -> dict[str, object]:
    """Answer one event."""
    answer = compact(bucket(), hour_event(event), now=settings().now())
    logger.info("compact", extra=answer.summary())
    return answer.summary()
