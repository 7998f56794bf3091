"""Bundles that were damaged, and bundles that were made to do harm: none reaches the loader in our process."""

import json
import os
import random
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from uuid import uuid4

import lightgbm
import pytest

from tests.models.conftest import POOL, Bundle
from wattahead.domain.bundle import Golden, Runtime
from wattahead.domain.errors import Damaged, Refused, Transient
from wattahead.jobs.promote import publish_proved
from wattahead.jobs.prove import prove, runtime
from wattahead.models.loading import load
from wattahead.models.native import NativeBooster
from wattahead.storage import keys
from wattahead.storage.bundles import fetch, publish
from wattahead.storage.documents import canonical, encode
from wattahead.storage.objects import Bucket, open_bucket, sha256

MUTANTS = 200


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Give the texts that reached LightGBM."""
    texts: list[str] = []
    real = NativeBooster

    def spy(text: str) -> NativeBooster:
        texts.append(text)
        return real(text)

    monkeypatch.setattr("wattahead.models.booster.NativeBooster", spy)
    return texts


def fresh() -> Bucket:
    bucket = open_bucket(f"memory://{uuid4().hex}")
    bucket.pause = lambda _: None
    return bucket


def objects(bundle: Bundle) -> tuple[str, dict[str, bytes]]:
    """Return a bundle's id and all of its objects by file name."""
    manifest = encode(bundle.manifest)
    return sha256(manifest), {**bundle.files, "manifest.json": manifest}


def stored(bundle_id: str, held: dict[str, bytes]) -> Bucket:
    """Return a bucket that holds these bytes where the bundle should be."""
    bucket = fresh()
    for name, body in held.items():
        bucket.store.create(f"{keys.bundle(POOL, bundle_id)}/{name}", body)
    return bucket


def signed(bundle: Bundle, change: Callable[[dict[str, object]], None]) -> tuple[str, dict[str, bytes]]:
    """Return a bundle whose manifest was changed before its hash was taken."""
    plain = json.loads(encode(bundle.manifest))
    change(plain)
    body = canonical(plain)
    return sha256(body), {**bundle.files, "manifest.json": body}


def refusal(bundle_id: str, held: dict[str, bytes]) -> str:
    """Return the code under which a bundle is refused on its way to the loader."""
    with pytest.raises(Refused) as refused:
        load(*fetch(stored(bundle_id, held), POOL, bundle_id))
    return refused.value.code


# Damage


def mutated(body: bytes, draw: random.Random) -> bytes:
    """Return the body with one random damage; never the body itself."""
    at, length = draw.randrange(len(body)), draw.randrange(1, 17)
    flipped = bytes([body[at] ^ 1 << draw.randrange(8)])
    return draw.choice([
        body[:at],
        body[:at] + body[at + length :],
        body[:at] + flipped + body[at + 1 :],
        body[:at] + draw.randbytes(length) + body[at:],
        body[:at] + body[at : at + length] + body[at:],
        body + body[:at] + b"\n",
        b"",
    ])  # fmt: skip


def test_the_whole_bundle_reaches_the_loader(bundle: Bundle, loaded: list[str]) -> None:
    bundle_id, held = objects(bundle)

    load(*fetch(stored(bundle_id, held), POOL, bundle_id))

    assert [text.encode() for text in loaded] == [bundle.files[f"{name}.txt"] for name in ("p10", "p50", "p90")]


def test_of_all_mutants_none_reaches_the_loader(bundle: Bundle, loaded: list[str]) -> None:
    draw = random.Random(20210328)
    bundle_id, held = objects(bundle)
    codes: Counter[str] = Counter()

    for _ in range(MUTANTS):
        name = draw.choice(sorted(held))
        codes[refusal(bundle_id, held | {name: mutated(held[name], draw)})] += 1

    assert codes == {"E_BUNDLE_HASH": MUTANTS}
    assert loaded == []


@pytest.mark.parametrize("name", ["p10.txt", "p50.txt", "p90.txt", "calibration.json", "manifest.json"])
def test_a_bundle_that_lacks_a_file_is_refused(bundle: Bundle, loaded: list[str], name: str) -> None:
    bundle_id, held = objects(bundle)

    assert refusal(bundle_id, {other: body for other, body in held.items() if other != name}) == "E_BUNDLE_FILES"
    assert loaded == []


def test_two_files_that_changed_places_are_refused(bundle: Bundle, loaded: list[str]) -> None:
    bundle_id, held = objects(bundle)

    assert refusal(bundle_id, held | {"p10.txt": held["p90.txt"], "p90.txt": held["p10.txt"]}) == "E_BUNDLE_HASH"
    assert loaded == []


def test_the_manifest_of_another_bundle_is_refused(bundle: Bundle) -> None:
    bundle_id, held = objects(bundle)
    _, other = objects(bundle.with_files(p50_txt=b"tree\n"))

    assert refusal(bundle_id, held | {"manifest.json": other["manifest.json"]}) == "E_BUNDLE_HASH"


def test_a_wrong_hash_is_told_by_file_and_the_first_digits(bundle: Bundle) -> None:
    bundle_id, held = objects(bundle)

    with pytest.raises(
        Damaged, match=f"E_BUNDLE_HASH: p50.txt has hash {sha256(b'x')[:12]}, not {sha256(held['p50.txt'])[:12]}"
    ):
        fetch(stored(bundle_id, held | {"p50.txt": b"x"}), POOL, bundle_id)


# Manifests whose hash holds and whose content does not


def file_named(name: str) -> Callable[[dict[str, object]], None]:
    def change(plain: dict[str, object]) -> None:
        plain["files"][0]["path"] = name  # type: ignore[index]  # plain JSON

    return change


BAD_FILES = [
    *(
        "../x",
        "../../etc/passwd.txt",
        "/etc/passwd",
        "a/b.txt",
        "..",
        ".",
        "",
        "a\\b.txt",
        "%2e%2e.txt",
        "p50.txt\n",
        "p50.txt\0",
    ),
    *(
        "model.pkl",
        "model.joblib",
        "model.npy",
        "model.pt",
        "model.keras",
        "model.py",
        "model.so",
        "model.txt.pkl",
        "P50.TXT",
        "p5\u043e.txt",
    ),
]


@pytest.mark.parametrize("name", BAD_FILES, ids=ascii)
def test_a_file_name_that_leaves_the_bundle_or_runs_code_is_refused(
    bundle: Bundle, loaded: list[str], name: str
) -> None:
    assert refusal(*signed(bundle, file_named(name))) == "E_BUNDLE_PATH"
    assert loaded == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"manifest_version": 2}, "E_BUNDLE_VERSION"),
        ({"manifest_version": 2, "signature": "of a later time"}, "E_BUNDLE_VERSION"),
        ({"signature": "unknown"}, "E_BUNDLE_FILES"),
        ({"kind": "onnx"}, "E_BUNDLE_VERSION"),
        ({"pool": "wind"}, "E_BUNDLE_FILES"),
        ({"features": ["same_time_1", "hour"]}, "E_BUNDLE_FEATURES"),
        ({"features": ["hour"]}, "E_BUNDLE_FEATURES"),
        ({"training": {}}, "E_BUNDLE_FILES"),
        ({"files": []}, "E_BUNDLE_FILES"),
    ],
    ids=str,
)
def test_a_manifest_that_this_runtime_cannot_serve_is_refused(
    bundle: Bundle, changes: dict[str, object], expected: str
) -> None:
    assert refusal(*signed(bundle, lambda plain: plain.update(changes))) == expected


def test_a_bundle_that_says_it_is_huge_is_not_fetched(bundle: Bundle) -> None:
    def grow(plain: dict[str, object]) -> None:
        plain["files"][0]["bytes"] = 51 * 2**20  # type: ignore[index]  # plain JSON

    bundle_id, held = signed(bundle, grow)
    bucket = stored(bundle_id, held)

    with pytest.raises(Refused, match="E_BUNDLE_FORMAT"):
        fetch(bucket, POOL, bundle_id)

    assert bucket.traffic["gets"] == 1


@pytest.mark.parametrize("body", [b"{", b"[]", b"null", b'{"": "x"}', b"\xff"])
def test_a_calibration_that_is_none_is_refused(bundle: Bundle, body: bytes) -> None:
    assert refusal(*objects(bundle.with_files(calibration_json=body))) == "E_BUNDLE_FILES"


def test_a_bundle_without_its_calibration_is_refused(bundle: Bundle) -> None:
    assert refusal(*objects(bundle.with_files(calibration_json=None))) == "E_BUNDLE_FILES"


def test_a_climatology_without_its_table_is_refused(bundle: Bundle) -> None:
    climate = Bundle(replace(bundle.manifest, kind="climatology"), {})

    with pytest.raises(Refused, match="E_BUNDLE_FILES: bundle of pool solar does not load"):
        load(climate.manifest, {"climatology.json": b'{"FR": {"scale": 1}}'})


# Publishing


def test_the_same_bundle_again_is_the_same_bundle(any_bucket: Bucket, bundle: Bundle) -> None:
    ids = [publish(any_bucket, bundle.manifest, bundle.files) for _ in range(2)]

    assert ids[0] == ids[1]
    assert fetch(any_bucket, POOL, ids[0]) == (bundle.manifest, bundle.files)


def test_damage_that_stands_there_already_stops_a_publication_before_its_manifest(bundle: Bundle) -> None:
    bundle_id, held = objects(bundle)
    bucket = stored(bundle_id, {"p90.txt": held["p90.txt"][:9]})

    with pytest.raises(Refused, match="E_BUNDLE_HASH: p90.txt"):
        publish(bucket, bundle.manifest, bundle.files)

    assert f"{keys.bundle(POOL, bundle_id)}/manifest.json" not in bucket.keys("models")


# Whole by hash, and made to do harm: proved in a child process, and refused there


def endless(text: bytes) -> bytes:
    """Return a model whose first node is its own child, with the sizes of its trees put right."""
    looped = re.sub(
        r"((?:left|right)_child=)(.*)", lambda found: found[1] + " ".join("0" for _ in found[2].split()), text.decode()
    )
    head, trees, tail = re.split(r"(?=Tree=0\n)|(?=end of trees)", looped, maxsplit=2)
    sizes = " ".join(str(len(tree)) for tree in re.split(r"(?=Tree=\d+\n)", trees)[1:])
    return (re.sub(r"tree_sizes=.*", f"tree_sizes={sizes}", head) + trees + tail).encode()


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_a_model_that_was_cut_off_before_it_was_hashed_is_refused(
    bundle: Bundle, loaded: list[str], share: float
) -> None:
    text = bundle.files["p10.txt"]

    # LightGBM reads behind the end of such a text: of 25 proofs of one cut at 70 %, four succeeded by luck.
    assert refusal(*objects(bundle.with_files(p10_txt=text[: int(len(text) * share)]))) == "E_BUNDLE_FILES"
    assert loaded == []


@pytest.mark.parametrize(
    ("old", "new"),
    [(b"leaf_value=", b"leaf_valve="), (b"Tree=2", b"Tree_2"), (b"left_child=3", b"left_child=9999999")],
    ids=ascii,
)
def test_a_model_that_aborts_its_process_ends_the_child_and_not_us(bundle: Bundle, old: bytes, new: bytes) -> None:
    hostile = bundle.with_files(p50_txt=bundle.files["p50.txt"].replace(old, new))
    fetched = fetch(stored(*objects(hostile)), POOL, objects(hostile)[0])  # every hash holds

    with pytest.raises(Refused, match=r"E_BUNDLE_PROOF: a lightgbm bundle of solar ended its process with -(6|11)"):
        prove(*fetched)


def test_a_model_that_never_answers_is_cut_at_the_deadline(bundle: Bundle) -> None:
    hostile = bundle.with_files(p50_txt=endless(bundle.files["p50.txt"]))
    start = time.monotonic()

    with pytest.raises(Transient, match=r"E_BUNDLE_PROOF: .* did not end within 3 s"):
        prove(hostile.manifest, hostile.files, deadline=3)

    assert time.monotonic() - start < 6


def test_a_bundle_that_is_not_proved_is_not_published(bundle: Bundle) -> None:
    bucket = fresh()
    hostile = bundle.with_files(p50_txt=b"tree\nversion=v4\n")

    with pytest.raises(Refused, match="E_BUNDLE_PROOF"):
        publish_proved(bucket, hostile.manifest, hostile.files, "champion")

    assert bucket.keys("models") == []


def test_a_whole_bundle_is_proved_on_this_runtime(bundle: Bundle) -> None:
    assert (
        prove(bundle.manifest, bundle.files)
        == runtime()
        == Runtime(lightgbm.__version__, runtime().numpy, os.uname().machine)
    )


def golden_of(bundle: Bundle) -> Golden:
    assert bundle.manifest.golden is not None
    return bundle.manifest.golden


@pytest.mark.parametrize("by", [2e-6, 1.0])
def test_golden_rows_that_come_out_otherwise_are_refused(bundle: Bundle, by: float) -> None:
    golden = golden_of(bundle)
    first, *others = golden.outputs["p90"]
    wrong = replace(golden, outputs={**golden.outputs, "p90": (first + by, *others)})

    with pytest.raises(Refused, match="E_BUNDLE_PROOF: .* away from its golden rows, more than 1e-06"):
        prove(replace(bundle.manifest, golden=wrong), bundle.files)


def test_a_bundle_without_golden_rows_is_not_proved(bundle: Bundle) -> None:
    with pytest.raises(Refused, match="E_BUNDLE_PROOF: .* has no golden rows"):
        prove(replace(bundle.manifest, golden=None), bundle.files)


def test_a_proof_leaves_no_files_behind(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    folders: list[str] = []

    def stub(command: list[str], **_: object) -> subprocess.CompletedProcess[bytes]:
        folders.append(command[-1])
        assert command[0] == sys.executable
        assert sorted(os.listdir(command[-1])) == [*sorted({*bundle.files, "manifest.json"})]  # noqa: PTH208 - names only
        return subprocess.CompletedProcess(command, 0, b"", b"")

    monkeypatch.setattr(subprocess, "run", stub)
    prove(bundle.manifest, bundle.files)

    assert not os.path.exists(folders[0])  # noqa: PTH110 - a name that subprocess was given
