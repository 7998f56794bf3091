"""Every key of the bucket, built from validated names only. DESIGN.md section 4 is their map."""

from wattahead.domain.errors import Refused
from wattahead.domain.hours import date_of, hour_of, iso, month_of
from wattahead.domain.names import checked
from wattahead.domain.plan import HourEvent, Plan

TABLES = {"forecast": "forecasts", "grid_action": "grid_actions"}  # workload -> root of its rows

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


def states(network: str) -> str:
    """Day objects of the states of grids of one network."""
    return f"states/network={checked('network', network)}"


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


def verified(plan: Plan, workload: str, batch: str) -> str:
    """The rows of one batch again, each with its exact solution."""
    root, _, rest = rows(plan, workload, batch).rpartition("/issue_date=")
    first, _, run = root.partition("/run=")
    return f"{first}_verified{'/run=' + run if run else ''}/issue_date={rest}"


def ledger(at: int, run_id: str, attempt_id: str) -> str:
    """What one attempt did."""
    return f"ledger/{hour_folder(at)}/{checked('digest', run_id)}/{checked('digest', attempt_id)}.json"


def metrics(at: int, digest: str) -> str:
    """One table of measures; `at` is the last issue time that it judges [µs]."""
    return f"metrics/issue_month={month_of(at)}/{checked('digest', digest)}.parquet"


def report(kind: str, at: int, digest: str) -> str:
    """One page for people about forecasts up to the issue time `at` [µs], or about a training."""
    return f"reports/kind={checked('key', kind)}/issue_month={month_of(at)}/{checked('digest', digest)}.html"


def backtest(run: str, pool: str) -> str:
    """The question that a backtest run answers for a pool: whoever goes on with the run must ask the same."""
    return f"plans/run_kind=backtest/run={checked('run', run)}/pool={checked('pool', pool)}.json"


def backtest_rows(workload: str, run: str, pool: str, at: int, digest: str) -> str:
    """The rows of a pool whose issue times lie in the month of `at` [µs]; `digest` is of the question."""
    root = f"{table(workload, 'backtest', run)}/pool={checked('pool', pool)}/issue_month={month_of(at)}"
    return f"{root}/{checked('digest', digest)}.parquet"


def backtest_check(run: str, pool: str) -> str:
    """Whether a pool's rows in a backtest run are those of live scoring, as some hours of them said."""
    return f"backtests/checks/run={checked('run', run)}/pool={checked('pool', pool)}.json"


def backtest_model(pool: str, digest: str) -> str:
    """Which bundles a training for backtests came to; `digest` is of all that it depended on. Not the registry."""
    return f"backtests/models/pool={checked('pool', pool)}/{checked('digest', digest)}.json"


def study(pool: str, name: str) -> str:
    """The folder of a search for parameters."""
    return f"tuning/{checked('pool', pool)}/{checked('run', name)}"


def study_question(pool: str, name: str) -> str:
    """What a search was begun with: whoever goes on with it must ask the same."""
    return f"{study(pool, name)}/question.json"


def trial(pool: str, name: str, number: int) -> str:
    """One finished trial of a search; number 0 is the catalog's own parameters."""
    return f"{study(pool, name)}/{number:05d}.json"


def hindcasts(key: str, subkey: str) -> str:
    """What trainings of a signal's pools would have forecast at past issue times."""
    return f"hindcasts/key={checked('key', key)}/subkey={checked('subkey', subkey)}"


def hindcast(root: str, pool: str, rule: str, until: int, bundle_id: str, digest: str) -> str:
    """The hindcasts of one training by `rule`, which knew nothing that became known after `until` [µs]."""
    folder = f"{root}/pool={checked('pool', pool)}/rule={checked('digest', rule)}/until={iso(until).replace(':', '')}"
    return f"{folder}/{checked('digest', bundle_id)[:12]}-{checked('digest', digest)}.parquet"


def dataset(workload: str, digest: str) -> str:
    """The folder of a simulated set; `digest` is of all that its content depends on but its size."""
    return f"datasets/workload={checked('key', workload)}/{checked('digest', digest)}"


def dataset_part(folder: str, number: int, rows: int, digest: str) -> str:
    """One episode of a simulated set."""
    return f"{folder}/episode-{number:05d}-{rows}-{checked('digest', digest)}.parquet"


def dataset_manifest(folder: str, rows: int, digest: str) -> str:
    """Which episodes make a set of so many rows, written behind all of them: without it there is no such set."""
    return f"{folder}/manifest-{rows}-{checked('digest', digest)}.json"
