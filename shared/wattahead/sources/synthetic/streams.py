"""One number per kind of random draw, so that no two share numbers. Never reuse one: the data would change."""

from typing import Final

WAVES: Final = 1
SITES: Final = 2
CLOUD: Final = 10  # weather systems, all zones
WIND: Final = 11
WARMTH: Final = 12
LOCAL: Final = 20  # added to a variable: what one site has for itself
SHARED_ERROR: Final = 40  # added to a variable: forecast error that all runs of a valid time share
RUN_ERROR: Final = 60  # added to a variable: forecast error of one run
POINT_BIAS: Final = 80
DEMAND_DAY: Final = 81
DEMAND_HOUR: Final = 82
COAL_DAY: Final = 83
