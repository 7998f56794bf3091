"""Generated data as the two files that the ingest mapping of the generator reads."""

from pathlib import Path
from typing import Final

import pyarrow.parquet as pq

from wattahead.sources.synthetic.generator import Synthetic

PRODUCTION_FILE: Final = "production.parquet"
WEATHER_FILE: Final = "weather.parquet"


def write(synthetic: Synthetic, folder: Path) -> None:
    """Write `production.parquet` and `weather.parquet` into `folder`, which is made when it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(synthetic.production, folder / PRODUCTION_FILE, compression="zstd", write_page_checksum=True)
    pq.write_table(synthetic.weather, folder / WEATHER_FILE, compression="zstd", write_page_checksum=True)
