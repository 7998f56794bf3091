"""A folder per workload: what it plans, what a batch reads, how it scores, which rows it writes. None knows another."""

from importlib import import_module
from typing import Final

from wattahead.domain.errors import Refused
from wattahead.workloads.protocol import Workload

WORKLOADS: Final = ("forecast", "grid_action")


def workload(name: str) -> Workload:
    """Return the workload called `name`; only its own folder is imported. An unknown one raises `E_CONFIG`."""
    if name not in WORKLOADS:
        raise Refused("E_CONFIG", f"there is no workload {ascii(name)[:40]}", fix=f"use one of {', '.join(WORKLOADS)}")
    return import_module(f"wattahead.workloads.{name}")
