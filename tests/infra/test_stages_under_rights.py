"""An hour of two stages, each job with the keys of its own role alone, on a server that enforces them."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from tests.infra.enforcing import enforcer
from tests.infra.iam import REGION, policy
from tests.infra.templates import load
from tests.journeys.stores import DictStore
from tests.journeys.world import EVENT, NOW, READS, UNTIL
from training.samples import known_forecasts, source_of
from wattahead.domain.errors import Refused, Transient
from wattahead.jobs.build_features import build_features
from wattahead.jobs.plan import plan
from wattahead.jobs.score import Scorer
from wattahead.storage import hindcasts
from wattahead.storage.catalogs import latest_catalog
from wattahead.storage.objects import Bucket, open_bucket

BUCKET = "stages"
ROLES = ("PlanFunction", "FeaturesFunction", "ScoreFunction", "FinishFunction", "TaskRole")
CARBON = replace(EVENT, batch="carbon-0000")

As = Callable[[str], Bucket]


@pytest.fixture(scope="module")
def role(staged_world: DictStore) -> Iterator[As]:
    """Give the bucket as a role sees it; its first stage is scored already."""
    with enforcer() as server, pytest.MonkeyPatch.context() as patch:
        s3 = server.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        for key, body in staged_world.objects.items():
            s3.put_object(Bucket=BUCKET, Key=key, Body=body)
        for name, value in {"AWS_ENDPOINT_URL": server.url, "AWS_REGION": REGION, "AWS_ALLOW_HTTP": "true"}.items():
            patch.setenv(name, value)
        buckets = {}
        for name in ROLES:
            with patch.context() as during:
                for variable, value in server.role(name, policy(load(), name, BUCKET)).variables().items():
                    during.setenv(variable, value)
                buckets[name] = open_bucket(f"s3://{BUCKET}")
                buckets[name].pause = lambda _: None
        plan(buckets["PlanFunction"], EVENT, now=NOW)
        for batch in ("solar-0000", "wind-0000"):
            build_features(buckets["FeaturesFunction"], replace(EVENT, batch=batch), now=NOW)
            Scorer(buckets["ScoreFunction"]).score(replace(EVENT, batch=batch), now=NOW)
        yield buckets.__getitem__


def test_features_may_read_the_rows_of_an_earlier_stage_and_others_may_not_build_them(role: As) -> None:
    with pytest.raises((Refused, Transient), match="E_S3_DENIED"):
        build_features(role("FinishFunction"), CARBON, now=NOW)

    assert build_features(role("FeaturesFunction"), CARBON, now=NOW).outcome == "ok"
    assert Scorer(role("ScoreFunction")).score(CARBON, now=NOW).outcome == "ok"


def test_features_that_may_not_read_the_rows_say_so_and_freeze_nothing(
    role: As, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_: object, **__: object) -> None:
        raise Refused("E_S3_DENIED", "the storage refused the rows", fix="check the role's policy for this prefix")

    monkeypatch.setattr("wattahead.jobs.upstream._read", denied)

    with pytest.raises(Transient, match="E_S3_DENIED"):
        build_features(role("FeaturesFunction"), replace(EVENT, batch="carbon-0001"), now=NOW)


def test_training_may_read_and_write_hindcasts_and_nobody_else(role: As) -> None:
    _, catalog = latest_catalog(role("TaskRole"))
    source, wind = source_of(catalog, "carbon", READS), catalog.signals["wind"]
    rows, rule = hindcasts.load(role("TaskRole"), wind, source.rules, UNTIL), source.rules["wind"]

    assert known_forecasts(role("TaskRole"), source, UNTIL)["wind"].issue_times.size > 0
    written = hindcasts.save(role("TaskRole"), wind, "wind", rule, UNTIL, "ab" * 32, rows.slice(0, 5))
    assert written.startswith("hindcasts/")
    for other in ("FeaturesFunction", "ScoreFunction"):
        with pytest.raises(Refused, match="E_S3_DENIED"):
            hindcasts.save(role(other), wind, "wind", rule, UNTIL, "ab" * 32, rows.slice(0, 9))
