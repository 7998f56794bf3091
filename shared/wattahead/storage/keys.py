"""Every key of the bucket, built from validated names only. DESIGN.md section 4 is their map."""

from wattahead.domain.errors import Refused
from wattahead.domain.hours import date_of, hour_of, month_of
from wattahead.domain.names import checked
from wattahead.domain.plan import HourEvent, Plan

TABLES = {"forecast": "forecasts"}  # workload -> root of its rows

CATALOG = "catalog"


def entry(log: str, sequence: int) -> str:
    """One entry of an append-only log; eight digits keep the listing sorted."""
    return f"{log}/{sequence:08d}.json"


def registry(pool: str) -> str:
    """The append-only log of a pool's decisions."""
    return f"models/registry/{checked('pool', pool)}"


def bundle(pool: str, bundle_id: str) -> str:
    """The folder of a bundle."""
    return f"models/bundles/{checked('pool', pool)}/{checked('digest', bundle_id)}"


def actuals(key: str, subkey: str) -> str:
    """Day objects of a signal's measured values."""
    return f"actuals/key={checked('key', key)}/subkey={checked('subkey', subkey)}"


def weather(provider: str) -> str:
    """Day objects of a provider's weather forecasts."""
    return f"weather/provider={checked('provider', provider)}"


def external(provider: str) -> str:
    """Day objects of somebody else's forecasts, such as an operator's."""
    return f"external/provider={checked('provider', provider)}"


def history(root: str) -> str:
    """Month objects of closed days of a table root."""
    return f"history/{root}"


def date_part(root: str, label: str, at: int, digest: str) -> str:
    """One object of a day; `label` is `date` or `init_date`."""
    return f"{root}/{label}={date_of(at)}/part-{checked('digest', digest)}.parquet"


def month_part(root: str, at: int, digest: str) -> str:
    """One object of a closed month."""
    return f"{history(root)}/month={month_of(at)}/{checked('digest', digest)}.parquet"


def days_copy(root: str, first: int, last: int, parts: int, rows: int, digest: str) -> str:
    """One object with the rows of all parts of the days from `first` to `last` [µs], which lie in one month."""
    if not first <= last or month_of(first) != month_of(last):
        days = f"{date_of(first)} to {date_of(last)}"
        raise Refused("E_KEY", f"{days} are no days of one month", fix="copy each month by itself")
    folder = f"{history(root)}/month={month_of(first)}/days={date_of(first)[8:]}-{date_of(last)[8:]}"
    return f"{folder}/{parts}-{rows}-{checked('digest', digest)}.parquet"


def hour_folder(at: int) -> str:
    """The two path parts that stand for an issue time everywhere."""
    return f"issue_date={date_of(at)}/issue_hour={hour_of(at)}"


def plan(event: HourEvent) -> str:
    """The one plan of an hour; a backfill or backtest run has plans of its own."""
    root = f"plans/run_kind={event.run_kind}"
    if event.run:
        root += f"/run={checked('run', event.run)}"
    return f"{root}/{hour_folder(event.issue_time)}/plan.json"


def work(event: HourEvent, digest: str) -> str:
    """A list of batches to do, beside the plan of the hour that handed them out."""
    return f"{plan(event).rpartition('/')[0]}/work-{checked('digest', digest)}.json"


def features(plan: Plan, workload: str, batch: str, digest: str) -> str:
    """Exactly what a batch is scored from; runs that are not live keep theirs apart."""
    root = "features" if not plan.run else f"{plan.run_kind}s/features/run={checked('run', plan.run)}"
    folder = f"{root}/workload={checked('key', workload)}/{hour_folder(plan.issue_time)}"
    return f"{folder}/{checked('batch', batch)}-{checked('digest', digest)}.parquet"


def table(workload: str, run_kind: str, run: str) -> str:
    """The root of a workload's rows; a better model's rows never meet the live key."""
    root = TABLES[workload]
    return root if run_kind == "live" else f"{checked('key', run_kind)}s/{root}/run={checked('run', run)}"


def rows(plan: Plan, workload: str, batch: str) -> str:
    """The rows of one batch: one object, visible whole or not at all."""
    return (
        f"{table(workload, plan.run_kind, plan.run)}/{hour_folder(plan.issue_time)}/{checked('batch', batch)}.parquet"
    )


def ledger(at: int, run_id: str, attempt_id: str) -> str:
    """What one attempt did."""
    return f"ledger/{hour_folder(at)}/{checked('digest', run_id)}/{checked('digest', attempt_id)}.json"
