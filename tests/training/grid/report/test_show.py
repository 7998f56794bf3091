"""The picture in a file: written where it was asked for, in colours of white paper, or refused before any work."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib import image

from tests.training.grid.sets import made_up_dataset
from training.grid.report.show import save, show
from training.grid.simulation import kept
from training.grid.simulation.dataset import Manifest, encoded
from training.report.picture import COLOURS, colour
from wattahead.domain.errors import Refused
from wattahead.storage.documents import encode
from wattahead.storage.objects import Bucket, open_bucket

DIGEST = "0123456789abcdef"


def stored(bucket: Bucket, states: int) -> None:
    """Write a made-up set as a simulation does."""
    dataset, folder = made_up_dataset(states, 0), kept.folder_of(DIGEST)
    numbers = np.unique(dataset.episode).tolist()
    parts = [dataset.take(dataset.episode == number) for number in numbers]
    written = [
        kept.save(bucket, folder, number, len(one), encoded(one)) for number, one in zip(numbers, parts, strict=True)
    ]
    kept.save_manifest(bucket, folder, states, encode(Manifest({}, dataset.network, states, tuple(written), {})))


@pytest.mark.parametrize("name", ["a.png", "deep/b.svg"])
def test_a_stored_set_is_drawn_into_a_file(tmp_path: Path, name: str) -> None:
    bucket = open_bucket(str(tmp_path / "bucket"))
    stored(bucket, 10)

    to = show(bucket, DIGEST, 10, tmp_path / name)

    assert to == tmp_path / name
    assert to.read_bytes() == save(made_up_dataset(10, 0), tmp_path / f"again{to.suffix}").read_bytes()


def test_a_file_has_the_colours_of_white_paper_and_a_page_is_left_as_it_was(tmp_path: Path) -> None:
    mark = colour("truth")
    pixels = image.imread(save(made_up_dataset(10, 0), tmp_path / "a.png"))

    shown = {tuple(one) for one in np.round(pixels.reshape(-1, pixels.shape[-1])[:, :3] * 255).astype(int).tolist()}
    for name in ("paper", "truth", "ink"):
        code = COLOURS[name][0].lstrip("#")
        assert tuple(int(code[at : at + 2], 16) for at in (0, 2, 4)) in shown, name
    assert colour("truth") == mark
    assert "#0102" not in save(made_up_dataset(10, 0), tmp_path / "a.svg").read_text(encoding="utf-8")


def test_another_kind_of_file_a_set_and_a_state_that_are_not_there_are_refused(tmp_path: Path) -> None:
    bucket = open_bucket(str(tmp_path / "bucket"))

    with pytest.raises(Refused, match="end it with .png or .svg"):
        show(bucket, DIGEST, 10, tmp_path / "a.jpeg")
    with pytest.raises(Refused, match="E_FEAT_MISSING"):
        show(bucket, DIGEST, 10, tmp_path / "a.png")
    with pytest.raises(Refused, match="no state 10"):
        save(made_up_dataset(10, 0), tmp_path / "a.png", state=10)
    (tmp_path / "file").write_text("")
    with pytest.raises(Refused, match="cannot be written"):
        save(made_up_dataset(10, 0), tmp_path / "file" / "a.png")
    assert not (tmp_path / "a.png").exists()
