"""An hour on this machine ends as it would in AWS."""

from typing import Any

import pytest

from infra.local import hours
from tests.functions.conftest import Deployment, event
from wattahead.domain.errors import Refused


def test_an_ingest_that_fails_keeps_nobody_from_a_forecast_and_fails_the_hour(
    deployed: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(_event: Any, _context: object) -> dict[str, object]:
        raise Refused("E_S3_DENIED", "the storage refused inbox", fix="check the role")

    monkeypatch.setenv("WATTAHEAD_CLOCK", "2026-03-01T05:30Z")
    deployed.reset()
    monkeypatch.setattr("functions.ingest.app.handler", refuses)

    answer = hours.run_hour(event("hour"))

    assert answer["outcome"] == "failed"
    assert "E_S3_DENIED" in str(answer["errors"])
    assert len(deployed.objects("forecasts/")) == 3
