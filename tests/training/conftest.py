"""Training is tested on the journeys' world, which is trained once."""

from tests.journeys.conftest import trained_world, untrained_world

__all__ = ["trained_world", "untrained_world"]
