"""Nightly or weekly tick, or a wish for some pools: which pools are to be trained, and which after which."""

from functools import cache
from typing import Any

from aws_lambda_powertools import Logger

from wattahead.jobs.retrain import due
from wattahead.jobs.settings import settings
from wattahead.storage.objects import Bucket, open_bucket

logger = Logger(service="retrain")


@cache
def bucket() -> Bucket:
    """Return the bucket of this process."""
    return open_bucket(settings().bucket)


@logger.inject_lambda_context
def handler(event: dict[str, Any], _context: object) -> dict[str, object]:
    """Answer one event, {"cadence": "nightly"} or {"pools": ["solar"]}."""
    stages = due(bucket(), event)
    logger.info("retrain", extra={"stages": stages})
    return {"stages": stages}
