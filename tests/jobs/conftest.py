"""A folder to ingest."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.jobs.meters import meters


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    pq.write_table(meters(), tmp_path / "meters.parquet")
    return tmp_path
