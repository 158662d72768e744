"""A Path stands for the file or folder that it points at."""

from __future__ import annotations

import os
import shutil
from pathlib import Path, PurePosixPath

import pytest

from artvcs.pipelines.errors import MaterializerError
from artvcs.pipelines.functions import save_artifact
from artvcs.pipelines.values.materializers import find_for_value
from artvcs.vcs.errors import InvalidName, StorageError

from .harness import files_of, load, round_trip, save


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.txt").write_text("a")
    (folder / "deep" / "b.txt").write_text("b")
    return folder


def test_a_file_keeps_its_name_and_is_not_copied(data: Path, tmp_path: Path) -> None:
    materializer = find_for_value(data / "a.txt")(str(tmp_path))
    materializer.save(data / "a.txt")
    assert list(materializer.included.values()) == [data / "a.txt"]
    save(data / "a.txt", tmp_path / "stored")
    loaded = load(tmp_path / "stored", "artvcs.path", "pathlib.PosixPath")
    assert (loaded.name, loaded.read_text()) == ("a.txt", "a")


def test_a_folder(data: Path, tmp_path: Path) -> None:
    save(data, tmp_path / "stored")
    loaded = load(tmp_path / "stored", "artvcs.path", "pathlib.PosixPath")
    assert loaded.name == "data"
    assert files_of(loaded) == files_of(data)


def test_a_link_is_followed_and_gives_its_name(data: Path, tmp_path: Path) -> None:
    (tmp_path / "link.csv").symlink_to(data / "a.txt")
    save(tmp_path / "link.csv", tmp_path / "stored")
    assert load(tmp_path / "stored", "artvcs.path", "object").name == "link.csv"


def test_paths_in_a_list_keep_the_files(data: Path, tmp_path: Path) -> None:
    saved = save({"files": [data / "a.txt", data / "deep"]}, tmp_path / "stored")
    materializer = type(saved)(str(tmp_path / "stored"))
    loaded = materializer.load(dict)
    assert [path.name for path in loaded["files"]] == ["a.txt", "deep"]
    assert materializer.keeps_files


def test_a_relative_path(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(data)
    save(Path(), tmp_path / "stored")
    assert load(tmp_path / "stored", "artvcs.path", "object").name == "data"


def test_what_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MaterializerError, match="nothing to store"):
        save(tmp_path / "missing", tmp_path / "stored")


@pytest.mark.parametrize("target", ["/etc/passwd", "../outside", "deep/../../data2"])
def test_links_out_of_a_folder_are_refused(target: str, data: Path, project: Path) -> None:
    (data / "link").symlink_to(target)
    with pytest.raises(InvalidName, match="leads out"):
        save_artifact(data, "data")


def test_links_inside_a_folder_are_kept(data: Path, tmp_path: Path) -> None:
    (data / "deep" / "link").symlink_to("../a.txt")
    materializer = find_for_value(data)(str(tmp_path / "stored"))
    (tmp_path / "stored").mkdir()
    materializer.save(data)
    assert os.readlink(next(iter(materializer.included.values())) / "deep" / "link") == "../a.txt"


def test_pipes_are_refused(data: Path, project: Path) -> None:
    os.mkfifo(data / "pipe")
    with pytest.raises(StorageError, match="neither a file nor a folder"):
        save_artifact(data, "data")
    with pytest.raises(MaterializerError, match="neither a file nor a folder"):
        save_artifact(data / "pipe", "data")


def test_a_stored_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "path").mkdir()
    (tmp_path / "path" / "x").symlink_to("/etc/passwd")
    with pytest.raises(MaterializerError):
        load(tmp_path, "artvcs.path", "object")


def test_metadata(data: Path, project: Path) -> None:
    assert save_artifact(data, "data").metadata == {"name": "data", "files": 2, "size": 2}
    assert save_artifact(data / "a.txt", "data").metadata == {"name": "a.txt", "size": 1}
    (data / "empty").mkdir()
    assert save_artifact(data / "empty", "data").metadata == {"name": "empty", "files": 0, "size": 0}


def test_a_pure_path_is_plain_data() -> None:
    assert round_trip(PurePosixPath("no/such/file")) == PurePosixPath("no/such/file")


def test_a_mapped_array_outlives_its_folder(tmp_path: Path) -> None:
    import numpy as np

    array = np.arange(1_000_000)
    save(array, tmp_path / "stored")
    loaded = load(tmp_path / "stored", "artvcs.numpy.ndarray", "numpy.ndarray")
    before = (tmp_path / "stored" / "array.npy").read_bytes()
    loaded[0] = 7
    assert (tmp_path / "stored" / "array.npy").read_bytes() == before
    shutil.rmtree(tmp_path / "stored")
    assert loaded[0] == 7
    assert loaded[-1] == 999_999
