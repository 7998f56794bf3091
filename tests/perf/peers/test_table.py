import numpy as np
import pandas as pd

from tests.perf.peers.table import common, lines

ISSUED = pd.Timestamp("2020-12-01T00:00Z")
VALID = pd.date_range(ISSUED, periods=96, freq=pd.Timedelta(minutes=15))
LOAD = pd.DataFrame({"zone": "NL-1", "valid_time": VALID, "load": np.sin(np.arange(96.0)) - 2})


def table(**quantiles: object) -> pd.DataFrame:
    return pd.DataFrame({"zone": "NL-1", "issue_time": ISSUED, "valid_time": VALID, **quantiles})


def test_only_rows_that_every_maker_has_are_compared() -> None:
    shared = common({"all": table(p50=1.0), "late": table(p50=2.0).iloc[:3:-1]})
    assert [len(one) for one in shared.values()] == [92, 92]
    assert (shared["all"]["valid_time"] == shared["late"]["valid_time"]).all()


def test_a_forecast_that_comes_true_has_no_error_and_another_is_told_from_it() -> None:
    came = LOAD["load"].to_numpy()
    right = table(p10=came, p50=came, p90=came)
    wrong = table(p10=came + 0.5, p50=came + 1, p90=came + 2)
    told = lines({"seasonal_naive": table(p50=came - 2), "right": right, "wrong": wrong}, LOAD)
    measures = {line.split()[3]: line.split()[4:] for line in told[1:4]}
    assert measures["seasonal_naive"] == ["2.000", "0.00"]
    assert measures["right"] == ["0.000", "1.00", "0.0000", "1.000"]
    assert measures["wrong"][:2] == ["1.000", "0.50"]
    assert float(measures["wrong"][2]) > 0
    assert measures["wrong"][3] == "0.000"
