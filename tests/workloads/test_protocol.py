"""Every workload is what the rails ask for, and nothing that is unknown is one."""

import inspect

import pytest

from wattahead.domain.errors import Refused
from wattahead.jobs.build_features import BUILDERS
from wattahead.storage.keys import TABLES
from wattahead.workloads import WORKLOADS, workload
from wattahead.workloads.protocol import Workload

ASKED = [name for name, held in vars(Workload).items() if inspect.isfunction(held) and not name.startswith("_")]


@pytest.mark.parametrize("name", WORKLOADS)
def test_a_workload_has_every_function_of_the_protocol_in_its_form(name: str) -> None:
    found = workload(name)

    assert name == found.NAME
    for function in ASKED:
        wanted = list(inspect.signature(getattr(Workload, function)).parameters)[1:]
        assert list(inspect.signature(getattr(found, function)).parameters) == wanted


def test_every_workload_has_a_table_and_builds_features() -> None:
    assert set(WORKLOADS) == set(TABLES) == set(BUILDERS)


def test_an_unknown_workload_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(Refused, match="E_CONFIG.*grid_action"):
        workload("../forecast")
