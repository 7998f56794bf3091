"""How the commands of training end: what is wrong with the question is 64, what may pass is 1, nothing else."""

from collections.abc import Callable
from pathlib import Path

import pytest

from training import __main__ as train
from training import evaluate, tune
from training.backtest import __main__ as backtest
from training.parsing import FAILED, USAGE, code_of, opened
from wattahead.domain.errors import Damaged, LostRace, Refused, Transient

Command = Callable[[list[str]], int]

SPAN = ["--from", "2026-02-27T00:00Z", "--to", "2026-02-28T00:00Z"]
COMMANDS: dict[str, tuple[Command, list[str]]] = {
    "train": (train.main, []),
    "backtest": (backtest.main, ["wind", *SPAN]),
    "evaluate": (evaluate.main, []),
    "tune": (tune.main, ["wind"]),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_bucket_that_cannot_be_opened_is_a_wrong_question(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command, words = COMMANDS[name]
    (tmp_path / "file").write_bytes(b"")
    url = str(tmp_path / "file" / "bucket")

    assert command([*words, "--bucket", url]) == USAGE

    said = capsys.readouterr().err
    assert f"E_CONFIG: bucket '{url}' cannot be opened" in said
    assert "Fix: use s3://bucket, or a folder that may be written." in said


@pytest.mark.parametrize("name", COMMANDS)
def test_an_option_that_does_not_exist_is_told_with_the_usage(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    command, words = COMMANDS[name]

    with pytest.raises(SystemExit) as ended:
        command([*words, "--no-such-option"])

    assert ended.value.code == USAGE
    assert "--no-such-option" in capsys.readouterr().err


def test_an_unknown_kind_of_run_is_a_wrong_question(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        evaluate.main(["--kind", "holiday"])

    assert ended.value.code == USAGE
    assert "invalid choice: 'holiday'" in capsys.readouterr().err


@pytest.mark.parametrize("name", COMMANDS)
def test_a_storage_that_does_not_answer_is_no_wrong_question(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command, words = COMMANDS[name]
    (tmp_path / "plans").mkdir()
    (tmp_path / "catalog").mkdir()

    def silent(*_: object, **__: object) -> object:
        raise OSError("the cable is out")

    bucket = opened(str(tmp_path))
    monkeypatch.setattr(type(bucket.store), "keys", silent)
    monkeypatch.setattr("wattahead.storage.objects.PAUSES", (0.0, 0.0, 0.0))

    assert command([*words, "--bucket", str(tmp_path)]) == FAILED
    assert "E_STORAGE: no answer for" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("kind", "code"), [(Refused, USAGE), (Damaged, USAGE), (Transient, FAILED), (LostRace, FAILED)]
)
def test_only_what_is_refused_again_is_a_wrong_question(kind: type[Refused], code: int) -> None:
    assert code_of(kind("E_STORAGE", "a fact", fix="a step")) == code
