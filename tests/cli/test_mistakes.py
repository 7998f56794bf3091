"""Mistakes on the command line end with one line that says what to do, and with 64."""

from pathlib import Path

import pytest

from wattahead.cli.main import main


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (("catalog", "zones_prodction"), "there is no catalog 'zones_prodction'. Fix: use zones_production"),
        (("backfill", "--from", "2026-03-02T00:00Z", "--to", "2026-03-01T00:00Z", "--run", "x"), "is later than --to"),
        (("runs",), "E_FEAT_CORRUPT: the ledger cannot be read"),
    ],
)
def test_a_mistake_is_told_in_one_line(
    typed: tuple[str, ...], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged = tmp_path / "ledger/issue_date=2026-03-01/issue_hour=05/job=score/a.json"
    damaged.parent.mkdir(parents=True)
    damaged.write_text('{"job": "sco')

    assert main([*typed, "--bucket", str(tmp_path)]) == 64

    err = capsys.readouterr().err
    assert said in err
    assert len(err.splitlines()) == 1


def test_a_number_of_attempts_below_one_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["runs", "-n", "-3"])

    assert ended.value.code == 64
    assert "-3 is not 1 or more" in capsys.readouterr().err
