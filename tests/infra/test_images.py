"""The Dockerfile, its build context and the locks its images are installed from."""

import re

import pytest

from tests.infra.templates import ROOT

DOCKERFILE = (ROOT / "infra" / "Dockerfile").read_text(encoding="utf-8")
LOCKS = sorted(set(re.findall(r"infra/locks/\w+\.txt", DOCKERFILE)))


def stages() -> dict[str, str]:
    """Return the stages of the Dockerfile: name -> instructions."""
    parts = re.split(r"^FROM (\S+) AS (\S+)$", DOCKERFILE, flags=re.MULTILINE)[1:]
    return {name: f"FROM {base}\n{body}" for base, name, body in zip(parts[::3], parts[1::3], parts[2::3], strict=True)}


def test_the_dockerfile_has_a_target_per_image() -> None:
    assert {"deps", "score", "tables", "training", "grid"} == set(stages())


@pytest.mark.parametrize("target", ["score", "tables", "training", "grid"])
def test_an_image_installs_its_own_lock_with_hashes_and_nothing_else(target: str) -> None:
    stage = stages()[target]
    installs = [line for line in stage.splitlines() if "pip install" in line]
    own = [line for line in installs if " --no-deps --no-index --no-build-isolation . " in line]  # fetches nothing
    (fetches,) = [line for line in installs if line not in own]

    assert f"COPY infra/locks/{target}.txt /tmp/lock.txt" in stage
    assert len(own) == (target == "grid")
    assert "--require-hashes" in fetches
    assert "-r /tmp/lock.txt" in fetches


@pytest.mark.parametrize(
    ("target", "entrypoint"),
    [("training", '["python", "-m", "training"]'), ("grid", '["python", "-m", "training", "grid"]')],
)
def test_a_container_does_not_run_as_root(target: str, entrypoint: str) -> None:
    stage = stages()[target]

    assert re.search(r"^USER [1-9]\d*$", stage, flags=re.MULTILINE)
    assert stage.strip().splitlines()[-1] == f"ENTRYPOINT {entrypoint}"


def test_the_grid_image_has_what_builds_the_project_and_nothing_of_the_tests() -> None:
    names = set(re.findall(r"^([a-z0-9._-]+)==", (ROOT / "infra/locks/grid.txt").read_text("utf-8"), re.MULTILINE))

    assert {"hatchling", "grid2op", "lightsim2grid"} <= names
    assert names & {"pytest", "moto", "hypothesis", "flask"} == set()


def test_every_folder_that_is_copied_exists_and_gets_into_the_context() -> None:
    copied = set(re.findall(r"^COPY (\S+) ", DOCKERFILE, flags=re.MULTILINE))
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()

    assert [path for path in sorted(copied) if not (ROOT / path).exists()] == []
    assert copied | {"infra/Dockerfile"} == {line[1:] for line in lines if line.startswith("!")}
    assert next(line for line in lines if not line.startswith("#")) == "*"


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_every_package_by_hash_and_names_no_address(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    packages = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]

    assert "://" not in text
    assert [line for line in packages if not re.match(r"[a-z0-9._-]+==[0-9][^ ]* .*\\$", line)] == []
    assert text.count("--hash=sha256:") >= len(packages)


def test_the_score_image_lacks_what_would_slow_its_cold_start() -> None:
    names = set(re.findall(r"^([a-z0-9._-]+)==", (ROOT / "infra/locks/score.txt").read_text("utf-8"), re.MULTILINE))

    assert names & {"pandas", "scikit-learn", "polars", "duckdb", "boto3", "botocore"} == set()
    assert {"lightgbm", "pyarrow", "obstore"} <= names
