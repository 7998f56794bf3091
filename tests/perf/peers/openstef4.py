"""Forecasts of OpenSTEF 4, made through its public interface, for `python -m tests.perf.peers` to score.

Runs in an environment of its own (Python 3.12, `requirements.txt` beside this file) and imports nothing of this
project: `python tests/perf/peers/openstef4.py DATA OUT`, where DATA holds `load_weather.parquet`.
"""

import argparse
import json
import logging
import time
import warnings
from pathlib import Path

import pandas as pd
from openstef_core.datasets import TimeSeriesDataset
from openstef_core.types import LeadTime, Q
from openstef_models.presets import ForecastingWorkflowConfig, create_forecasting_workflow
from openstef_models.workflows.custom_forecasting_workflow import CustomForecastingWorkflow

QUANTILES = (0.05, 0.1, 0.3, 0.5, 0.7, 0.9, 0.95)  # those of its own benchmarks
STEP = pd.Timedelta(minutes=15)
HORIZON = pd.Timedelta(hours=24)
CONTEXT = pd.Timedelta(days=14)  # of history at issue time, as its lags need it
NAMES = {"temp": "temperature", "humidity": "relative_humidity"}
WEATHER = ("radiation", "temperature", "windspeed", "windspeed_100m", "clouds", "relative_humidity", "rain", "pressure")
AGGREGATES = ("mean", "median", "max", "min")  # of the newest day of load, as its benchmarks and tutorials set them


def read(data: Path, pid: int) -> pd.DataFrame:
    """Return load and weather of one substation by UTC time, in the units that OpenSTEF states."""
    table = pd.read_parquet(data / "load_weather.parquet", filters=[("pid", "==", pid)])
    frame = table.set_index("ts").rename(columns=NAMES).sort_index()[["load", *WEATHER]].asfreq(STEP)
    frame["radiation"] = (frame["radiation"] / 3600).clip(lower=0)  # J/m2 per hour to W/m2
    frame["relative_humidity"] *= 100
    frame["clouds"] = frame["clouds"].where(frame["clouds"] <= 100.01)  # 21 values are 400 and more
    return frame


def fitted(model: str, frame: pd.DataFrame, until: pd.Timestamp, *, plain: bool) -> CustomForecastingWorkflow:
    """Return a workflow fitted on what was known before `until`."""
    told = {} if plain else {"rolling_aggregate_features": list(AGGREGATES)}
    workflow = create_forecasting_workflow(
        ForecastingWorkflowConfig(
            model_id="peer",
            model=model,
            horizons=[LeadTime.from_string("PT24H")],
            quantiles=[Q(level) for level in QUANTILES],
            sample_interval=STEP.to_pytimedelta(),
            mlflow_storage=None,
            **told,
        )
    )
    workflow.fit(TimeSeriesDataset(frame[frame.index < until], STEP.to_pytimedelta()))
    return workflow


def issued(workflow: CustomForecastingWorkflow, frame: pd.DataFrame, at: pd.Timestamp) -> pd.DataFrame:
    """Return the forecast of one issue time: load is hidden from it on, weather reaches to the end of the horizon."""
    window = frame[(frame.index >= at - CONTEXT) & (frame.index < at + HORIZON)].copy()
    window.loc[window.index >= at, "load"] = float("nan")
    found = workflow.predict(TimeSeriesDataset(window, STEP.to_pytimedelta()), forecast_start=at.to_pydatetime()).data
    found = found[found.index >= at]
    values = {f"p{round(100 * level):02d}": found[Q(level).format()].to_numpy() for level in QUANTILES}
    return pd.DataFrame({"issue_time": at, "valid_time": found.index, **values})


def main() -> None:
    """Write `OUT/<model>.parquet` and the CPU seconds it took beside it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--models", default="xgboost,gblinear,lgbm")
    parser.add_argument("--pids", default="287,307,435")
    parser.add_argument("--from", dest="first", default="2020-12-01")
    parser.add_argument("--to", dest="end", default="2021-01-01", help="all of every horizon lies before it")
    parser.add_argument("--every", type=int, default=1, help="hours from issue time to issue time")
    parser.add_argument("--plain", action="store_true", help="the configuration's defaults, without aggregates of load")
    told = parser.parse_args()
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    first, end = (pd.Timestamp(text, tz="UTC") for text in (told.first, told.end))
    issues = pd.date_range(first, end - HORIZON, freq=pd.Timedelta(hours=told.every))
    told.out.mkdir(parents=True, exist_ok=True)
    for model in told.models.split(","):
        name, parts, seconds = f"openstef_{model}{'_plain' if told.plain else ''}", [], {}
        for pid in told.pids.split(","):
            frame = read(told.data, int(pid))
            start = time.process_time()
            workflow = fitted(model, frame, first, plain=told.plain)
            middle = time.process_time()
            parts += [issued(workflow, frame, at).assign(zone=f"NL-{pid}") for at in issues]
            seconds[pid] = {"fit": middle - start, "predict": time.process_time() - middle, "issues": len(issues)}
            print(model, pid, seconds[pid], flush=True)
        pd.concat(parts).to_parquet(told.out / f"{name}.parquet", index=False)
        (told.out / f"{name}.json").write_text(json.dumps(seconds))


if __name__ == "__main__":
    main()
