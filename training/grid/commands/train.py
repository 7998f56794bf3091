"""Train a pool of grids on simulated states, judge it on others, and let the registry decide."""

import argparse
from dataclasses import replace
from typing import Final

from rich.console import Console
from rich.table import Table as Drawn

from training.attempts import Attempt
from training.grid.commands import plain, telling
from training.grid.commands.asking import add_bucket, add_states, now, until
from training.grid.commands.simulate import WIDTH, made
from training.grid.evaluate import Table
from training.grid.simulation.dataset import Dataset, load
from training.grid.simulation.question import Question
from training.grid.simulation.sampling import LOADS, NONE, OUTAGES, Sampling
from training.grid.train import TEST, Trained, train
from training.grid.trainers import trainer
from training.parsing import opened
from training.report.saved import located
from training.stopping import Stop
from wattahead.domain.catalog import Catalog, known
from wattahead.domain.errors import Refused
from wattahead.jobs.promote import refuse_earlier
from wattahead.storage.catalogs import latest_catalog
from wattahead.storage.objects import Bucket
from wattahead.storage.registry import latest

SHOWN: Final = (
    "rmse", "r2", "overload_auc", "failure_auc", "top_1", "top_5", "top_10", "regret", "regret_5", "regret_10",
    "coverage",
)  # fmt: skip
SHIFTED: Final = 5  # a set unlike the one learnt from has this share of its states


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add which pool, and on how many states."""
    parser.add_argument("--pool", default="", help="default: the catalog's only pool of grids")
    parser.add_argument("--trainer", default="", help="in place of the pool's own")
    parser.add_argument("--until", default="", metavar="TIME", help="from when a new model serves (default: this hour)")
    add_states(parser)
    add_bucket(parser)


def run(asked: argparse.Namespace, console: Console, stop: Stop) -> int:
    """Simulate or read three sets, train, and print what each model came to on each of them."""
    bucket, at = opened(asked.bucket), until(asked)
    _, catalog = latest_catalog(bucket)
    name = _pool(catalog, asked.pool)
    catalog = _taught(catalog, name, asked.trainer)
    pool = catalog.grid_pools[name]
    trainer(pool.trainer)  # before minutes of simulation: one that is not there, or a decision that comes too late
    refuse_earlier(latest(bucket, name), at)
    attempt = Attempt(bucket, name, at, asked.seed, started_at=now(), trainer=asked.trainer)
    try:
        sets = {
            told: _set(bucket, catalog, name, asked, shift, console, stop)
            for told, shift in ((TEST, NONE), (OUTAGES, OUTAGES), (LOADS, LOADS))
        }
        say = telling(console, name, stop)
        done = train(bucket, catalog, name, sets, until=at, seed=asked.seed, progress=say, stop=stop)
        attempt.trained(pool.grids, promoted=done.promoted, reason=done.entry.reason, report=done.page)
    except BaseException as error:  # a fault in the code and Ctrl-C are attempts too
        stop.hold()
        attempt.failed(error)
        raise
    stop.release()
    report(console, name, done)
    plain(console, f"report: {located(bucket, done.page)}")
    return 0


def report(console: Console, name: str, done: Trained) -> None:
    """Print the decision, and what each model came to on each set."""
    plain(console, f"{name}: {'promoted' if done.promoted else 'kept as it was'}: {done.entry.reason}")
    wide = console if console.is_terminal else Console(stderr=True, width=WIDTH + 60)
    wide.print(drawn(done.table))


def drawn(table: Table) -> Drawn:
    """Return the measures of every set and model for people."""
    made = Drawn("set", "model", *(name.replace("_", " ") for name in SHOWN), box=None)
    for one, models in table.items():
        for model, measures in models.items():
            made.add_row(one, model, *(f"{measures[name]:.3f}" if name in measures else "" for name in SHOWN))
        made.add_section()
    return made


def _set(
    bucket: Bucket, catalog: Catalog, name: str, asked: argparse.Namespace, shift: str, console: Console, stop: Stop
) -> Dataset:
    """Return a set of states of the pool's network, simulated or read."""
    network = catalog.networks[catalog.grid_pools[name].network]
    states = asked.states if shift == NONE else max(1, asked.states // SHIFTED)
    sampling = Sampling(most_actions=network.most_actions, shift=shift)
    about = Question(network.environment, asked.seed, sampling)
    done = made(bucket, about, states, asked.processes, console, stop)
    return load(bucket, done.digest, states)


def _pool(catalog: Catalog, name: str) -> str:
    if not name and len(catalog.grid_pools) != 1:
        fact = f"the catalog has {len(catalog.grid_pools)} pools of grids"
        named = ", ".join(sorted(catalog.grid_pools)[:5]) or "publish one first"
        raise Refused("E_CONFIG", fact, fix=f"name one with --pool: {named}")
    chosen = name or next(iter(catalog.grid_pools))
    known("grid pool", chosen, catalog.grid_pools)
    return chosen


def _taught(catalog: Catalog, name: str, trainer: str) -> Catalog:
    """Return the catalog with another trainer for a pool, if one is asked for."""
    if not trainer:
        return catalog
    return replace(catalog, grid_pools={**catalog.grid_pools, name: replace(catalog.grid_pools[name], trainer=trainer)})
