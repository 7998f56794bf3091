"""The training container, run as it is meant to run: not as root, nothing writable but /tmp, stopped by SIGTERM."""

import errno
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.journeys.stores import DictStore
from tests.journeys.world import UNTIL
from tests.training.container import ROOT, Container, built, privileged, why_not
from wattahead.domain.hours import iso
from wattahead.storage.catalogs import latest_catalog, publish_catalog
from wattahead.storage.ledger import entries
from wattahead.storage.objects import Bucket, open_bucket
from wattahead.storage.registry import latest

ANSWER = 10.0  # seconds from SIGTERM to the end; the platform kills after 30
FITTING = "wind: linear: held-back weeks"  # the next fit is of trees, and does not end
QUESTION = ("--pools", "wind", "--until", iso(UNTIL))
NO_CONTAINER = why_not()
PROBE = """
import errno, importlib.util, json, os

def write(path):
    try:
        open(path, "w").close()
    except OSError as error:
        return errno.errorcode[error.errno]
    return "written"

paths = ("/app/x", "/app/training/__main__.py", "/x", "/tmp/x")
others = [name for name in ("boto3", "duckdb", "pytest") if importlib.util.find_spec(name)]
who = {"user": os.getuid(), "process": os.getpid()}
print(json.dumps({"others": others, **who, **{path: write(path) for path in paths}}))
"""

in_container = pytest.mark.skipif(bool(NO_CONTAINER), reason=f"no container can be made here: {NO_CONTAINER}")


@pytest.fixture
def bucket(s3_url: str, untrained_world: DictStore) -> Bucket:
    """Give a bucket on an S3 server with data and baselines; the file system is then not needed at all."""
    bucket = open_bucket(s3_url)
    for key, body in untrained_world.objects.items():
        bucket.create(key, body)
    return bucket


@pytest.fixture
def endless(bucket: Bucket) -> Bucket:
    """Give a bucket whose catalog asks for a fit that does not end by itself."""
    _, catalog = latest_catalog(bucket)
    for_ever = {"rounds": 10_000_000}
    pools = {name: replace(pool, parameters={**pool.parameters, **for_ever}) for name, pool in catalog.pools.items()}
    publish_catalog(bucket, replace(catalog, pools=pools))
    return bucket


@pytest.fixture
def container(bucket: Bucket, tmp_path: Path) -> Container:
    """Give the container with the variables that a task would have."""
    return built(tmp_path / "root", {"WATTAHEAD_BUCKET": bucket.url, **aws_variables()})


def aws_variables() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name.startswith("AWS_")}


def registry_of(bucket: Bucket) -> dict[str, bytes]:
    return {key: bucket.read(key, bytes) for key in bucket.keys("models/registry")}


@contextmanager
def started(command: list[str], environment: Mapping[str, str] | None = None) -> Iterator["subprocess.Popen[str]"]:
    """Start a child with its output to read; it never outlives the test."""
    settings = {**os.environ, **(environment or {})}
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=settings) as child:
        try:
            yield child
        finally:
            child.kill()


def read_until(child: "subprocess.Popen[str]", sign: str) -> None:
    """Read what a child says up to the line that holds `sign`."""
    assert child.stderr is not None
    said = []
    for line in child.stderr:
        said.append(line)
        if sign in line:
            return
    pytest.fail(f"it ended without {sign!r}: {''.join(said)}")


def stop(child: "subprocess.Popen[str]", process: int) -> tuple[int, str]:
    """Send SIGTERM to `process` and return the exit code of `child`, which ends in time, and what it said."""
    asked = time.monotonic()
    subprocess.run([*privileged(), "kill", "-TERM", str(process)], check=True)  # it may be another user's
    _, said = child.communicate(timeout=ANSWER)
    print(f"from SIGTERM to the end: {time.monotonic() - asked:.2f} s")
    return child.returncode, said


@in_container
def test_only_the_folder_for_temporary_files_can_be_written_and_nobody_is_root(container: Container) -> None:
    found = container.run("python", "-c", PROBE)

    read_only = errno.errorcode[errno.EROFS]
    assert json.loads(found.stdout) == {
        "others": [],  # packages of the tests, which the lock does not name
        "user": 10001,
        "process": 1,
        "/app/x": read_only,
        "/app/training/__main__.py": read_only,
        "/x": read_only,
        "/tmp/x": "written",  # noqa: S108 - in the container
    }


@in_container
def test_the_container_trains_and_promotes_without_root_and_without_a_file_system_to_write(
    container: Container, bucket: Bucket
) -> None:
    done = container.run(*container.stage.entrypoint, *QUESTION)

    assert done.returncode == 0, done.stderr
    assert "wind: proved in a child process" in done.stderr
    entry = latest(bucket, "wind")
    assert entry is not None
    assert entry.rung("champion") is not None
    (left,) = entries(bucket)
    assert (left.pool, list(left.outcomes)) == ("wind", ["promoted"])
    assert bucket.read(left.report, bytes).startswith(b"<!doctype html>")
    assert f"report: {bucket.url}/{left.report}" in done.stderr


@in_container
def test_a_container_without_a_bucket_says_so_in_a_sentence(container: Container) -> None:
    lost = replace(container, environment={})

    done = lost.run(*lost.stage.entrypoint)

    assert done.returncode == 64
    assert done.stderr.startswith("E_CONFIG: bucket 'bucket' cannot be opened: Read-only file system")


@in_container
def test_sigterm_reaches_process_1_of_the_container(container: Container, endless: Bucket) -> None:
    before = registry_of(endless)

    with started(container.command(*container.stage.entrypoint, *QUESTION)) as child:
        read_until(child, FITTING)
        code, _ = stop(child, inside(child))

    assert code == 143
    assert registry_of(endless) == before
    assert [found.outcome for found in entries(endless)] == ["failed"]


def inside(child: "subprocess.Popen[str]") -> int:
    """Return the process that is number 1 inside: the last in the line of only children."""
    process = child.pid
    while below := Path(f"/proc/{process}/task/{process}/children").read_text(encoding="utf-8").split():
        process = int(below[0])
    return process


def test_sigterm_in_the_middle_of_a_fit_is_answered_in_time_with_143_and_an_entry(endless: Bucket) -> None:
    before = registry_of(endless)

    command = [sys.executable, "-m", "training", "--bucket", endless.url, *QUESTION]
    with started(command) as child:
        read_until(child, FITTING)
        code, said = stop(child, child.pid)

    assert code == 143
    assert said.endswith("stopped by SIGTERM; the ledger says what was done\n")
    assert registry_of(endless) == before
    assert [(found.pool, found.outcome, found.errors) for found in entries(endless)] == [
        ("wind", "failed", {"": "stopped by SIGTERM before the registry was written. Fix: train again."})
    ]


# Runs at the start of every Python below: the proof of a bundle tells its number and then never ends.
HANGING_PROOF = """
import os, signal, sys
if "wattahead.jobs.prove" in sys.orig_argv:
    with open(os.environ["TOLD"], "w") as told:
        told.write(str(os.getpid()))
    signal.pause()
"""


def test_sigterm_during_a_proof_ends_the_child_that_proves(bucket: Bucket, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(HANGING_PROOF, encoding="utf-8")
    told = tmp_path / "told"
    os.mkfifo(told)
    before = registry_of(bucket)

    command = [sys.executable, "-m", "training", "--bucket", bucket.url, *QUESTION]
    with started(command, {"PYTHONPATH": str(tmp_path), "TOLD": str(told)}) as child:
        prover = int(told.read_text(encoding="utf-8"))  # waits until the child writes
        code, _ = stop(child, child.pid)

    assert code == 143
    with pytest.raises(ProcessLookupError):
        os.kill(prover, 0)
    assert registry_of(bucket) == before
    assert [found.outcome for found in entries(bucket)] == ["failed"]
