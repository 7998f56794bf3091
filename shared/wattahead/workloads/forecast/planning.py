"""What a plan says of a pool of forecasts, and the bundle that serves it before its first training."""

from dataclasses import replace
from typing import Final

from wattahead.domain.bundle import MANIFEST_VERSION, Manifest, Output, RegistryEntry
from wattahead.domain.catalog import Catalog, Pool, Signal
from wattahead.domain.errors import Refused
from wattahead.domain.graph import forecasts_of, stages
from wattahead.domain.plan import PlannedPool
from wattahead.features.grammar import known_columns, signals_of
from wattahead.models.baseline import CLIMATE_FEATURES, NAIVE_FEATURES

NAME: Final = "forecast"


def planned_pool(catalog: Catalog, name: str, held: RegistryEntry | None) -> PlannedPool:
    """Return all that workers need to know of a pool: the features of its bundles, and always the baselines'.

    A feature of a bundle that this version does not know is left out: its rung will say so, and the next one serves.
    """
    pool = catalog.pools[name]
    rungs = tuple(sorted(held.rungs, key=lambda rung: rung.level)) if held else ()
    asked = [feature for rung in rungs for feature in rung.features]
    features = known_columns([*asked, *NAIVE_FEATURES, *CLIMATE_FEATURES])
    zones = {zone: catalog.zones[zone] for zone in sorted(pool.zones)}
    decided_at = held.effective_from if held else 0
    return PlannedPool(
        name,
        NAME,
        pool,
        catalog.signals[pool.signal],
        zones,
        features,
        rungs,
        decided_at,
        {signal: catalog.signals[signal] for signal in signals_of(features) if signal in catalog.signals},
        {signal: makers for signal in forecasts_of(features) if (makers := catalog.forecasters(signal, zones))},
    )


def in_stages(catalog: Catalog, pools: dict[str, PlannedPool]) -> dict[str, PlannedPool]:
    """Return the pools so that none reads in a circle.

    The catalog has no circle; with bundles of an older one there may be one. Then pools read only whom they read by
    the catalog, and what else their bundles ask for is missing.
    """
    try:
        stages({name: pool.reads for name, pool in pools.items()})
    except Refused:
        return {name: _reading(pool, set(catalog.read_by(name))) for name, pool in pools.items()}
    return pools


def _reading(pool: PlannedPool, known: set[str]) -> PlannedPool:
    few = {signal: tuple(one for one in makers if one in known) for signal, makers in pool.forecasters.items()}
    return replace(pool, forecasters={signal: makers for signal, makers in few.items() if makers})


def output_of(signal: Signal, pool: Pool) -> Output:
    """Return what a bundle of this pool predicts."""
    return Output(signal.unit, pool.quantiles, signal.lower, signal.upper_of_scale, signal.night_zero)


def naive_manifest(name: str, signal: Signal, pool: Pool) -> Manifest:
    """Return the manifest of a pool's seasonal naive; it needs no files."""
    return Manifest(MANIFEST_VERSION, NAME, name, "seasonal_naive", NAIVE_FEATURES, 1.0, output_of(signal, pool), ())
