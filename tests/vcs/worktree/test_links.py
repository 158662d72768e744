"""Symbolic links: those that stay inside are kept, all others refused, and none is written through."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artvcs.vcs import worktree
from artvcs.vcs.errors import ArtError, InvalidName
from artvcs.vcs.objects.nodes import SYMLINK
from artvcs.vcs.repository import Repository
from artvcs.vcs.worktree.files.links import check_link

from .helpers import add, checkout, entry_of, tree_of


@pytest.mark.parametrize(
    "target",
    ["/etc/passwd", "//etc/passwd", "..", "../..", "../x", "a/../../x", "sub/..", "sub/../..", "./../x", "sub/../text"],
)
def test_a_link_that_leads_out_is_refused_on_add_and_on_checkout(
    repository: Repository, tmp_path: Path, target: str
) -> None:
    folder = tmp_path / "hostile"
    (folder / "sub").mkdir(parents=True)
    (folder / "link").symlink_to(target)
    with pytest.raises(InvalidName, match="leads out"):
        add(repository, folder)
    stored = tree_of(repository, entry_of(repository, target.encode(), "link", SYMLINK))
    with pytest.raises(InvalidName, match="leads out"):
        checkout(repository, stored, tmp_path / "back")
    assert not (tmp_path / "back").exists()


def test_links_that_lead_out_together_are_refused(repository: Repository, tmp_path: Path) -> None:
    # a/up → .. stays inside; a/b/out → ../up/../x would leave through it.
    folder = tmp_path / "hostile"
    (folder / "a" / "b").mkdir(parents=True)
    (folder / "a" / "up").symlink_to("..")
    add(repository, folder)
    (folder / "a" / "b" / "out").symlink_to("../up/../x")
    assert (folder / "a" / "b" / "out").resolve() == (tmp_path / "x").resolve()
    with pytest.raises(InvalidName, match="leads out"):
        add(repository, folder)


@given(st.lists(st.sampled_from(["..", ".", "a", "b", "up", "down", ""]), max_size=6))
def test_no_link_that_is_taken_resolves_outside(tmp_path: Path, parts: list[str]) -> None:
    top = tmp_path / "top"
    (top / "a" / "b").mkdir(parents=True, exist_ok=True)
    for link, to in ((top / "a" / "up", ".."), (top / "down", "a/b")):
        if not link.is_symlink():
            link.symlink_to(to)
    try:
        check_link("/".join(parts), PurePosixPath("a/b/link"))
    except InvalidName:
        return
    assert (top / "a" / "b" / "/".join(parts)).resolve().is_relative_to(top.resolve())


@pytest.mark.parametrize("target", [b"", b"a\0b"])
def test_a_link_to_nothing_is_refused_with_our_own_error(repository: Repository, tmp_path: Path, target: bytes) -> None:
    stored = tree_of(repository, entry_of(repository, target, "link", SYMLINK))
    with pytest.raises(InvalidName):
        checkout(repository, stored, tmp_path / "back")


def test_a_link_to_a_name_that_is_no_unicode_comes_back(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    os.symlink(b"caf\xe9", os.fsencode(tmp_path / "data" / "link"))
    entry = add(repository, tmp_path / "data")
    checkout(repository, entry, tmp_path / "back")
    assert os.readlink(os.fsencode(tmp_path / "back" / "link")) == b"caf\xe9"


def test_nothing_is_written_through_a_link_of_the_tree(repository: Repository, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "back").mkdir()
    (tmp_path / "back" / "folder").symlink_to(outside)
    inner = entry_of(repository, b"content", "file")
    with pytest.raises(ArtError):
        worktree.write_tree(repository.store, tree_of(repository, tree_of(repository, inner)).id, tmp_path / "back")
    assert list(outside.iterdir()) == []


def test_a_link_at_the_top_is_followed_as_the_user_meant_it(repository: Repository, data: Path, tmp_path: Path) -> None:
    (tmp_path / "shortcut").symlink_to(data)
    assert add(repository, tmp_path / "shortcut").id == add(repository, data).id
