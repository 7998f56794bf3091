"""Examples are tried on the journeys' world, which is made once."""

from tests.journeys.conftest import untrained_world

__all__ = ["untrained_world"]
