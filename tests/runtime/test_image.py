"""The score image: what is in its folder, what is not, and that the handler runs from it alone."""

import json
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from infra.runtime.dockerfile import read_target
from infra.runtime.function import deployed, environment
from infra.runtime.images import DOCKERFILE, Image, build
from infra.runtime.interpreters import answers, interpreter, machine_version
from infra.runtime.stage import CLOCK, Stage
from tests.runtime.conftest import SERIES, VERSIONS, event
from wattahead.domain.errors import Refused

NEEDED = ("numpy", "pyarrow", "lightgbm", "onnxruntime", "obstore", "aws_lambda_powertools", "pydantic", "wattahead")
UNWANTED = ("pandas", "sklearn", "polars", "duckdb", "boto3", "botocore", "torch", "pytest", "training", "infra")

CALL = """
import json, sys
from functions.score.app import handler
class Context:
    function_name, memory_limit_in_mb, aws_request_id = "function", 1769, "1"
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:function"
answer = handler(json.loads(sys.argv[1]), Context())
files = sorted({module.__file__ for module in sys.modules.values() if getattr(module, "__file__", None)})
print(json.dumps({"answer": answer, "files": files, "path": sys.path}))
"""
IMPORT = """
import importlib, json, sys
def there(name):
    try:
        importlib.import_module(name)
    except ModuleNotFoundError:
        return False
    return True
print(json.dumps([name for name in sys.argv[1:] if there(name)]))
"""


def child(image: Image, code: str, *arguments: str, **variables: str) -> Any:
    """Return what a process prints last that has the image and nothing else."""
    around = environment(image, image, deployed("ScoreFunction"), variables)
    command = [image.interpreter, "-c", code, *arguments]
    done = subprocess.run(command, cwd=image.task, env=around, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_the_handler_scores_a_batch_from_the_image_alone(image: Image, stage: Stage, tmp_path: Path) -> None:
    bucket = shutil.copytree(stage.world.folder, tmp_path / "bucket")

    said = child(
        image,
        CALL,
        json.dumps(event("batch")),
        WATTAHEAD_BUCKET=str(bucket),
        WATTAHEAD_CLOCK=CLOCK,
        TMPDIR=str(tmp_path),
    )

    standard = [path for path in said["path"] if "/lib/python" in path and "site-packages" not in path]
    assert (said["answer"]["outcome"], said["answer"]["rows"]) == ("ok", SERIES * 24)
    assert [path for path in said["files"] if not path.startswith((str(image.root), *standard))] == []
    assert list((bucket / "forecasts").rglob("*.parquet")) != []


def test_the_image_holds_what_scoring_needs(image: Image) -> None:
    assert child(image, IMPORT, *NEEDED) == list(NEEDED)


def test_nothing_that_slows_a_cold_start_can_be_imported_there(image: Image) -> None:
    assert child(image, IMPORT, *UNWANTED) == []


def test_all_code_of_the_image_is_compiled(image: Image) -> None:
    sources = [path for folder in ("wattahead", "functions") for path in (image.task / folder).rglob("*.py")]
    compiled = {path.name.split(".")[0] for path in image.task.rglob("__pycache__/*.pyc") if "wattahead" in path.parts}

    assert sources != []
    assert [path for path in sources if not list(path.parent.glob(f"__pycache__/{path.stem}.*.pyc"))] == []
    assert "score" in compiled


@pytest.mark.parametrize("version", VERSIONS)
def test_an_interpreter_counts_only_when_it_runs(version: str, tmp_path: Path) -> None:
    shim = tmp_path / f"python{version}"
    shim.write_text("#!/bin/sh\necho no such version >&2\nexit 127\n", encoding="utf-8")
    shim.chmod(0o755)

    assert not answers(str(shim), version)
    assert not answers(str(tmp_path / "nowhere"), version)
    assert not interpreter(version) or answers(interpreter(version), version)


def test_no_interpreter_is_found_for_a_version_that_nobody_has() -> None:
    assert interpreter("3.99") == ""


# How it is built -----------------------------------------------------------------------------------------------------

SMALL = """
FROM python:3.12 AS base
ENV GREETING="good day"
FROM base AS small
# a lock and a folder
COPY locks/one.txt /tmp/lock.txt
RUN mkdir -p "${LAMBDA_TASK_ROOT}" \\
    && cp /tmp/lock.txt "${LAMBDA_TASK_ROOT}/copy" && rm /tmp/lock.txt
COPY code ${LAMBDA_TASK_ROOT}/code
RUN echo "${GREETING}" > "${LAMBDA_TASK_ROOT}/said"
"""


def small(folder: Path, text: str = SMALL, **files: str) -> Image:
    """Build a small target of two files."""
    for path, content in {
        "locks/one.txt": "one",
        "code/app.py": "x = 1",
        "code/__pycache__/old.pyc": "x",
        **files,
    }.items():
        (folder / "tree" / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / "tree" / path).write_text(content, encoding="utf-8")
    dockerfile = folder / "Dockerfile"
    dockerfile.write_text(text, encoding="utf-8")
    path = interpreter(machine_version())
    return build("small", path, dockerfile=dockerfile, context=folder / "tree", into=folder / "build")


def test_the_steps_of_a_target_are_followed(tmp_path: Path) -> None:
    made = small(tmp_path)

    assert (made.task / "copy").read_text(encoding="utf-8") == "one"
    assert (made.task / "said").read_text(encoding="utf-8") == "good day\n"
    assert [path.name for path in (made.task / "code").iterdir()] == ["app.py"]
    assert not (made.root / "tmp/lock.txt").exists()


def test_changed_code_makes_another_image_on_the_same_packages(tmp_path: Path) -> None:
    first = small(tmp_path)

    second = small(tmp_path, **{"code/app.py": "x = 2"})

    assert (second.task / "code/app.py").read_text(encoding="utf-8") == "x = 2"
    assert (first.task / "code/app.py").read_text(encoding="utf-8") == "x = 1"
    assert (second.task / "copy").stat().st_ino == (first.task / "copy").stat().st_ino


def test_a_changed_lock_makes_everything_anew(tmp_path: Path) -> None:
    first = small(tmp_path)

    second = small(tmp_path, **{"locks/one.txt": "two"})

    assert (second.task / "copy").read_text(encoding="utf-8") == "two"
    assert (first.task / "copy").read_text(encoding="utf-8") == "one"


def test_a_second_build_finds_the_first(tmp_path: Path) -> None:
    before = {path: path.stat().st_ino for path in small(tmp_path).root.rglob("*")}

    again = small(tmp_path)

    assert {path: path.stat().st_ino for path in again.root.rglob("*")} == before


def test_a_changed_step_keeps_the_layers_below_it(tmp_path: Path) -> None:
    first = small(tmp_path)

    second = small(tmp_path, SMALL.replace("good day", "hello"))
    third = small(tmp_path, SMALL.replace("said", "told"))

    assert len({first.root, second.root, third.root}) == 3
    assert (third.task / "copy").stat().st_ino == (first.task / "copy").stat().st_ino
    assert sorted(path.name for path in third.task.iterdir()) == ["code", "copy", "told"]
    assert [path.name for path in (tmp_path / "build").iterdir() if path.name.startswith(".")] == []


def test_a_step_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no-such-command"):
        small(tmp_path, SMALL.replace("echo", "no-such-command"))

    assert len(list((tmp_path / "build").iterdir())) == 1  # the layer before it


def test_builds_at_once_end_in_one_folder(tmp_path: Path) -> None:
    def one(_: int) -> Image:
        path = interpreter(machine_version())
        return build("small", path, dockerfile=first, context=tmp_path / "tree", into=tmp_path / "raced")

    small(tmp_path)
    first = tmp_path / "Dockerfile"
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(one, range(4)))

    assert len({image.root for image in made}) == 1
    assert len(list((tmp_path / "raced").iterdir())) == 2  # a folder per RUN, nothing half made


@pytest.mark.parametrize(
    "line",
    ["COPY --from=base /a /b", "COPY --chown=1 a b", "COPY a b c", 'COPY ["a", "b"]'],
    ids=lambda line: line[5:15],
)
def test_a_copy_that_is_not_understood_is_refused(line: str) -> None:
    with pytest.raises(Refused, match="COPY"):
        read_target(f"FROM python:3.12 AS one\n{line}\n", "one")


def test_a_target_that_is_not_there_is_refused() -> None:
    with pytest.raises(Refused, match="score, tables"):
        read_target(DOCKERFILE.read_text(encoding="utf-8"), "scoring")
