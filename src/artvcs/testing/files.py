"""The contract of `Files`: a set of named files that several threads and processes use at once."""

from __future__ import annotations

import functools
import random
import tempfile
from collections.abc import Callable
from pathlib import Path

from artvcs.testing.tools import at_once, meanwhile, raises
from artvcs.vcs.errors import InvalidName
from artvcs.vcs.storage.files import Files

HOSTILE_NAMES = (
    "", "/", "/etc/passwd", "..", "../x", "packs/../../x", "packs/..", "./x", "packs//x", "packs/", "packs/.hidden",
    "packs\\x", "nul\0", "new\nline", "ops/1\n", "é", "a b", "-x", "~/x",
)  # fmt: skip
"""Names that lead out of a place, or would somewhere be taken for something else."""

FAR = 2**70
"""Beyond the end of any file; a damaged table may name such a place."""


class FilesContract:
    """What `Files` promises. Override `other` where a place can be opened twice."""

    def other(self, files: Files) -> Files:
        """The same place as another process sees it."""
        return files

    def test_of_many_who_create_a_file_exactly_one_succeeds(self, files: Files) -> None:
        for number in range(10):
            name, places = f"ops/{number}", [files, self.other(files)] * 8
            won = at_once([
                functools.partial(place.create, name, b"%d" % me) for me, place in enumerate(places)
            ])  # fmt: skip
            assert won.count(True) == 1
            assert files.read(name) == b"%d" % won.index(True)

    def test_creating_leaves_alone_what_is_there(self, files: Files) -> None:
        files.put("ops/1", b"first")
        assert not files.create("ops/1", b"second")
        assert files.read("ops/1") == b"first"

    def test_putting_replaces_at_once_for_everybody(self, files: Files) -> None:
        other = self.other(files)
        for data in (b"one", b"three, which is longer", b""):
            files.put("packs/ab/x", data)
            assert (files.read("packs/ab/x"), files.size("packs/ab/x")) == (data, len(data))
            assert other.read("packs/ab/x") == data

    def test_a_hint_is_seen_and_can_be_replaced(self, files: Files) -> None:
        other = self.other(files)
        for data in (b"1", b"22"):
            files.hint("root", data)
            assert files.read("root") == other.read("root") == data

    def test_ranges_are_read_and_end_where_the_file_does(self, files: Files) -> None:
        data = random.Random(7).randbytes(3_000_000)
        files.put("packs/ab/x", data)
        assert files.read("packs/ab/x") == data
        for start, length in [(0, 10), (5, None), (2_999_990, 100), (1000, 0), (100, 2_500_000), (10, FAR)]:
            end = len(data) if length is None else start + length
            assert files.read("packs/ab/x", start, length) == data[start:end]
        for start in (len(data), len(data) + 1, 2**63 - 1, 2**64, FAR):
            assert files.read("packs/ab/x", start) == files.read("packs/ab/x", start, 10) == b""

    def test_a_mapped_file_has_the_bytes_that_are_read(self, files: Files) -> None:
        for data in (b"", b"x", bytes(range(256)) * 5000):
            files.put("index/x", data)
            mapped = files.map("index/x")
            assert (len(mapped), bytes(mapped[:]), bytes(mapped[10:20])) == (len(data), data, data[10:20])
            assert files.read("index/x") == data

    def test_a_mapped_file_stays_as_it_was(self, files: Files) -> None:
        files.put("index/x", b"old")
        mapped = files.map("index/x")
        files.put("index/x", b"new")
        files.delete("index/x")
        assert bytes(mapped[:]) == b"old"

    def test_all_files_of_a_folder_are_listed_and_no_others(self, files: Files) -> None:
        mine = [f"packs/{number:02d}/{number}" for number in range(300)] + ["packs/x"]
        for name in [*mine, "packs2/x", "pack", "other"]:
            assert files.create(name, b"x")
        assert sorted(files.list("packs")) == sorted(mine)
        assert list(files.list("packs/07")) == ["packs/07/7"]
        assert list(files.list("nowhere")) == []

    def test_what_stays_is_listed_while_others_come_and_go(self, files: Files) -> None:
        stays = {f"ops/{number:04d}" for number in range(0, 200, 2)}
        for name in stays:
            files.put(name, b"x")

        def others(number: int) -> None:
            files.put(f"ops/{number % 100 * 2 + 1:04d}", b"y")
            files.delete(f"ops/{number % 77 * 2 + 1:04d}")

        with meanwhile(others):
            for _ in range(20):
                assert stays <= set(self.other(files).list("ops"))

    def test_what_is_missing_is_said_to_be_missing(self, files: Files) -> None:
        files.put("ops/2", b"x")
        files.delete("ops/2")
        looks: list[Callable[[str], object]] = [
            files.read, files.map, files.size, files.signature, lambda name: files.read(name, 5, 5),
        ]  # fmt: skip
        for name in ("ops/1", "ops/2", "nowhere/at/all"):
            assert not files.exists(name)
            for look in looks:
                raises(FileNotFoundError, look, name)

    def test_deleting_twice_is_as_deleting_once_and_everybody_sees_it(self, files: Files) -> None:
        other = self.other(files)
        files.put("packs/ab/x", b"x")
        assert other.read("packs/ab/x") == b"x"
        files.delete("packs/ab/x")
        files.delete("packs/ab/x")
        files.delete("nowhere/x")
        assert not other.exists("packs/ab/x")
        raises(FileNotFoundError, other.read, "packs/ab/x")
        assert files.create("packs/ab/x", b"again")
        assert other.read("packs/ab/x") == b"again"

    def test_a_local_file_is_adopted_and_gone(self, files: Files) -> None:
        with tempfile.TemporaryDirectory() as folder:
            for data in (b"one", b"two"):
                path = Path(folder) / "incoming.pack"
                path.write_bytes(data)
                files.adopt("packs/ab/x", path)
                assert files.read("packs/ab/x") == data
                assert not path.exists()

    def test_a_signature_tells_bytes_that_changed(self, files: Files) -> None:
        files.put("packs/ab/x", b"one")
        before = files.signature("packs/ab/x")
        assert before == files.signature("packs/ab/x") == self.other(files).signature("packs/ab/x")
        files.put("packs/ab/x", b"two")
        assert files.signature("packs/ab/x") != before

    def test_a_name_that_leads_elsewhere_is_refused(self, files: Files) -> None:
        with tempfile.NamedTemporaryFile() as file:
            uses: list[Callable[[str], object]] = [
                files.read, files.map, files.size, files.signature, files.exists, files.delete,
                lambda name: files.put(name, b"x"), lambda name: files.create(name, b"x"),
                lambda name: files.hint(name, b"x"), lambda name: list(files.list(name)),
                lambda name: files.adopt(name, Path(file.name)),
            ]  # fmt: skip
            for name in HOSTILE_NAMES:
                for use in uses:
                    raises(InvalidName, use, name)
            assert Path(file.name).exists()

    def test_a_reader_sees_all_of_a_file_or_nothing(self, files: Files) -> None:
        whole, other = [bytes([65 + n]) * (n * 40_000 + 1) for n in range(5)], self.other(files)

        def write(number: int) -> None:
            files.put("root", whole[number % 5])
            files.create(f"ops/{number}", whole[number % 5])

        write(0)
        with meanwhile(write):
            for number in range(300):
                assert other.read("root") in whole
                if other.exists(f"ops/{number % 40}"):
                    assert other.read(f"ops/{number % 40}") == whole[number % 5]
