"""Plans: a verdict for each pack, with its reason; and what carrying it out costs and leaves."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from artvcs.vcs.changes import gathering
from artvcs.vcs.maps import ref_names
from artvcs.vcs.objects.oid import Oid
from artvcs.vcs.repository import Repository
from artvcs.vcs.storage.layout import op_seq
from artvcs.vcs.upkeep import gc
from artvcs.vcs.upkeep.gc import verdicts as planning
from artvcs.vcs.upkeep.gc.verdicts import KEEP_OPS, SLACK

from ..helpers import add_version, files, packs, problems, put_text, put_text_in, random_text, tags, versions


@pytest.fixture(autouse=True)
def small_scale(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pack of 16 KiB is a small one here, as one of 16 MiB is in earnest."""
    monkeypatch.setattr(planning, "SMALL_PACK", 16 << 10)


def put_pack(repository: Repository, **sizes: int) -> Path:
    """Publishes blobs under tags, with so many bytes each, as one pack; returns its file."""
    before = packs(repository.layout.folder)
    with repository.begin("put") as transaction:
        for tag, size in sizes.items():
            transaction.set_ref(f"tags/{tag}", transaction.put_blob(os.urandom(size)))
        transaction.seal()
    [made] = set(packs(repository.layout.folder)) - set(before)
    return made


def drop(repository: Repository, *names: str) -> None:
    with repository.begin("drop") as transaction:
        for name in names:
            transaction.set_ref(f"tags/{name}", None)


def verdicts(repository: Repository, max_unused: float = planning.MAX_UNUSED) -> dict[str, tuple[str, str]]:
    """Pack file's name → what is done with it, and why; ops left out."""
    made = gc.plan(repository, max_unused)
    return {
        verdict.pack.rpartition("/")[2]: (verdict.action, verdict.reason)
        for verdict in made.verdicts
        if op_seq(verdict.pack) is None
    }


def test_each_pack_has_a_verdict_with_its_reason(repository: Repository) -> None:
    dead = put_pack(repository, a=50_000)
    half = put_pack(repository, b=50_000, c=50_000)
    live = put_pack(repository, d=50_000)
    drop(repository, "a", "b")
    assert verdicts(repository) == {
        dead.name: ("delete", "nothing in it is used"),
        half.name: ("rewrite", "50% of it is unused"),
        live.name: ("keep", "all of it is used"),
    }
    assert all(verdict.reason == "one of the newest changes" for verdict in gc.plan(repository).packs("keep")[1:])


def test_a_plan_changes_nothing_and_says_what_will_be(repository: Repository, folder: Path) -> None:
    put_pack(repository, dead=100_000)
    drop(repository, "dead")
    before = files(folder)
    planned = gc.plan(repository)
    assert files(folder) == before
    assert planned.freed >= 100_000
    done = gc.collect(repository)
    assert done.plan == planned
    assert not done.full
    assert packs(folder) == []


def test_much_is_not_written_anew_for_little(repository: Repository, folder: Path) -> None:
    """315 MB for 312 bytes, once."""
    large = put_pack(repository, large=1_000_000, tiny=100)
    drop(repository, "tiny")
    assert verdicts(repository) == {large.name: ("keep", "most of it is used")}
    gc.collect(repository)
    assert packs(folder) == [large]


def test_a_little_garbage_in_each_of_many_packs_is_written_anew_where_it_is_most(repository: Repository) -> None:
    made = [put_pack(repository, **{f"live{number}": 50_000, f"dead{number}": 500 * number}) for number in range(1, 7)]
    drop(repository, *(f"dead{number}" for number in range(1, 7)))
    actions = [verdicts(repository, 0.01)[pack.name][0] for pack in made]
    assert actions == ["keep", "keep", "keep", "rewrite", "rewrite", "rewrite"]
    assert [verdicts(repository, 1)[pack.name][0] for pack in made] == ["keep"] * 6
    assert [verdicts(repository, 0)[pack.name][0] for pack in made] == ["rewrite"] * 6


def test_no_garbage_at_all_may_stay_if_so_wished(repository: Repository, folder: Path) -> None:
    put_pack(repository, large=1_000_000, tiny=100)
    tiny = tags(repository)["tags/tiny"]
    drop(repository, "tiny")
    gc.collect(repository, max_unused=0)
    assert bytes.fromhex(tiny) not in b"".join(pack.read_bytes() for pack in packs(folder))
    assert problems(folder) == []


def test_small_packs_are_put_together(repository: Repository, folder: Path) -> None:
    made = [put_pack(repository, **{f"t{number}": 1000}) for number in range(6)]
    assert {reason for _, reason in verdicts(repository).values()} == {"one of several small packs"}
    before = tags(repository)
    gc.collect(repository)
    [pack] = packs(folder)
    assert pack not in made
    assert all(len(Repository(folder).store.read(oid, "blob")) == 1000 for oid in before.values())
    assert gc.collect(repository).plan.packs("rewrite") == []
    assert problems(folder) == []


def test_what_is_written_anew_goes_into_packs_of_bounded_size(
    repository: Repository, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(6):
        put_pack(repository, **{f"live{number}": 30_000, f"dead{number}": 30_000})
    drop(repository, *(f"dead{number}" for number in range(6)))
    monkeypatch.setattr(gathering, "PACK_SIZE", 50_000)
    gc.collect(repository)
    assert len(packs(folder)) == 3
    assert all(60_000 <= pack.stat().st_size < 62_000 for pack in packs(folder))
    assert problems(folder) == []


def test_a_pack_of_very_many_objects_is_full_and_stays(
    repository: Repository, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering, "PACK_OBJECTS", 6)
    monkeypatch.setattr(planning, "FEW_OBJECTS", 6)
    for number in range(12):
        put_pack(repository, **{f"live{number}": 100, f"dead{number}": 100})
    drop(repository, *(f"dead{number}" for number in range(12)))
    gc.collect(repository)
    assert len(made := packs(folder)) == 2
    for number in range(4):
        put_pack(repository, **{f"more{number}": 100})
    gc.collect(repository)
    assert set(made) < set(packs(folder))
    assert problems(folder) == []


def test_old_changes_are_collected_and_the_newest_stay(repository: Repository, folder: Path) -> None:
    for number in range(KEEP_OPS + SLACK + 5):
        put_text(repository, f"tags/{number}", str(number))
    gc.collect(repository)
    kept = sorted(path.name for path in (folder / "ops").iterdir())
    newest = repository.store.refresh().seq
    assert KEEP_OPS <= len(kept) <= KEEP_OPS + 4  # the collection's own among them
    assert kept == [f"{seq:012d}" for seq in range(newest - len(kept) + 1, newest + 1)]
    again = Repository(folder)
    for number in range(KEEP_OPS + SLACK + 5):
        assert again.store.read(tags(again)[f"tags/{number}"], "blob") == str(number).encode()
    assert problems(folder) == []


def test_a_few_changes_are_left_alone(repository: Repository, folder: Path) -> None:
    for number in range(KEEP_OPS):
        put_text(repository, f"tags/{number}", str(number))
    before = files(folder)
    assert gc.collect(repository).deleted == ()
    assert files(folder) == before


def test_a_change_goes_however_new_when_data_in_it_is_garbage(repository: Repository, folder: Path) -> None:
    kept = put_text(repository, "tags/kept", "kept")
    put_text(repository, "tags/dead", "secret")
    drop(repository, "dead")
    gc.collect(repository)
    assert b"secret" not in b"".join(files(folder).values())
    assert Repository(folder).store.read(kept, "blob") == b"kept"
    assert problems(folder) == []


def test_what_an_old_change_alone_holds_moves_to_a_pack(repository: Repository, folder: Path) -> None:
    old = put_text(repository, "tags/old", "old")
    for number in range(KEEP_OPS + SLACK + 5):
        put_text(repository, "tags/new", str(number))
    verdict = next(each for each in gc.plan(repository).verdicts if each.pack == "ops/000000000002")
    assert (verdict.action, verdict.reason) == ("rewrite", "an old change; what it holds goes into a pack")
    gc.collect(repository)
    assert not (folder / "ops" / "000000000002").exists()
    assert len(packs(folder)) == 1
    assert Repository(folder).store.read(old, "blob") == b"old"
    assert problems(folder) == []


def test_what_is_gone_is_named_nowhere(repository: Repository, folder: Path) -> None:
    """Neither in the list of what is condemned, nor in the index."""
    gone = [put_pack(repository, **{f"t{number}": 20_000}) for number in range(3)]
    for number in range(KEEP_OPS + 40):
        put_text(repository, "tags/a", str(number))  # the index has them all by now
    drop(repository, "t0", "t1", "t2")
    gc.collect(repository)
    for path in (folder / "index").iterdir():
        os.utime(path, (time.time() - 60,) * 2)
    gc.collect(repository)  # what the first one left, since it might have been somebody else's
    state = repository.store.refresh().state
    assert not any(path.exists() for path in gone)
    assert state.condemned == {}
    named = {pack for segment in repository.store.snapshot.segments for pack in segment.packs} | set(state.loose)
    assert named == {str(path.relative_to(folder)) for path in (*packs(folder), *(folder / "ops").iterdir())}
    assert {path.name for path in (folder / "index").iterdir()} == set(state.segments)
    assert problems(folder) == []


def test_a_collected_repository_has_nothing_left_to_collect(repository: Repository, folder: Path) -> None:
    put_pack(repository, a=50_000)
    drop(repository, "a")
    for number in range(KEEP_OPS + SLACK):
        put_text(repository, "tags/b", str(number))
    for _ in range(3):
        gc.collect(repository)  # the changes that each one makes age others
    made = gc.plan(repository)
    assert made.packs("delete") == made.packs("rewrite") == []
    before = files(folder)
    done = gc.collect(repository)
    assert (done.deleted, done.waiting) == ((), ())
    assert files(folder) == before


def test_what_was_pruned_goes_and_its_record_stays(repository: Repository, folder: Path) -> None:
    with repository.begin("add") as transaction:
        artifact = add_version(transaction, "model", "x").artifact
        transaction.set_ref(ref_names.pruned(artifact), artifact)
    gc.collect(repository)
    [version] = versions(repository, "model")
    assert version.artifact == artifact
    assert problems(folder) == []


def test_something_lost_is_told_and_stops_nothing(repository: Repository, folder: Path) -> None:
    put_pack(repository, dead=50_000)
    kept = put_text(repository, "tags/kept", random_text(1))
    with repository.begin("dangling") as transaction:
        transaction.set_ref("tags/missing", Oid("1" * 64))
    drop(repository, "dead")
    done = gc.collect(repository)
    assert done.plan.lost.keys() == {"1" * 64}
    assert len(packs(folder)) == 1
    assert repository.store.has(kept)


def test_an_object_stored_twice_is_kept_once(repository: Repository, folder: Path) -> None:
    text = random_text(1)
    with repository.transaction("one") as one, Repository(folder).transaction("two") as two:
        for transaction, ref in ((one, "tags/one"), (two, "tags/two")):
            oid = put_text_in(transaction, ref, text)
    assert len(packs(folder)) == 2
    gc.collect(repository)
    assert len(packs(folder)) == 1
    assert Repository(folder).store.read(oid, "blob").decode() == text
    assert problems(folder) == []
