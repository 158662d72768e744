"""What runs code when it is loaded does so only if this user made it here, or said to trust it."""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import pytest

from artvcs import Client, pipeline, save_artifact, step
from artvcs.pipelines.errors import RunFailed, UntrustedData
from artvcs.pipelines.history.views import ArtifactVersion
from artvcs.pipelines.record import versions
from artvcs.vcs.errors import StorageError, UnusableSecret
from artvcs.vcs.objects.kinds import Artifact
from artvcs.vcs.objects.oid import Oid
from artvcs.vcs.repository import Repository
from artvcs.vcs.storage.layout import Layout
from artvcs.vcs.trust import proofs

from ...conftest import Python

pytestmark = pytest.mark.filterwarnings("ignore::artvcs.pipelines.values.materializers.PickleFallbackWarning")

ran: list[str] = []


def _sing(word: str) -> str:
    ran.append(word)
    return word


class Canary:
    """Sings when it is unpickled."""

    def __reduce__(self) -> Any:
        return _sing, ("cuckoo",)


@pytest.fixture(autouse=True)
def _silence(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
    ran.clear()


@pytest.fixture
def stored(project: Path) -> ArtifactVersion:
    """A pickle that this user made."""
    version = save_artifact(Canary(), "bird")
    ran.clear()  # storing it tried whether it can be loaded
    return version


def become_somebody_else(monkeypatch: pytest.MonkeyPatch, project: Path) -> None:
    """From here on the repository is one that was copied from elsewhere."""
    monkeypatch.setenv("XDG_STATE_HOME", str(project / "another-state"))


def refuses(version: ArtifactVersion, because: str = r"`art trust bird@1`") -> None:
    with pytest.raises(UntrustedData, match=because):
        version.load()
    assert ran == []


def test_what_was_made_here_loads_without_asking(stored: ArtifactVersion) -> None:
    assert stored.load() == "cuckoo"
    assert ran == ["cuckoo"]


def test_a_copied_repository_runs_no_code(
    stored: ArtifactVersion, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    become_somebody_else(monkeypatch, project)
    shutil.copytree(project / ".artifacts", project / "clone" / ".artifacts")
    monkeypatch.chdir(project / "clone")
    copied = Client().get_artifact_version("bird")
    refuses(copied)
    proofs.trust(Repository.discover().layout, [copied.id])
    assert copied.load() == "cuckoo"
    ran.clear()
    refuses(stored)  # that is another repository


def test_a_copy_of_one_s_own_loads(stored: ArtifactVersion, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(project / ".artifacts", project / "clone" / ".artifacts")
    monkeypatch.chdir(project / "clone")
    assert Client().get_artifact_version("bird").load() == "cuckoo"


def test_a_pickle_deep_inside_a_list_is_refused_as_well(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_artifact([1, {"a": (Canary(),)}], "bird")
    ran.clear()
    become_somebody_else(monkeypatch, project)
    refuses(Client().get_artifact_version("bird"))


def test_a_step_does_not_get_it_either(stored: ArtifactVersion, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    @step
    def listen(bird: Any) -> Annotated[int, "heard"]:
        return 1

    @pipeline
    def listening() -> None:
        listen(Client().get_artifact_version("bird"))

    become_somebody_else(monkeypatch, project)
    with pytest.raises(RunFailed) as failed:
        listening()
    assert isinstance(failed.value.__cause__, UntrustedData)
    assert ran == []


def test_making_the_same_bytes_is_proof_too(
    stored: ArtifactVersion, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    become_somebody_else(monkeypatch, project)
    refuses(stored)
    assert save_artifact(Canary(), "bird").id == stored.id
    assert stored.load() == "cuckoo"


def test_what_the_record_says_is_not_believed(
    stored: ArtifactVersion, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert stored.artifact.runs_code
    forged = _publish(dataclasses.replace(stored.artifact, runs_code=False))
    refuses(forged, "art trust forged@1")
    become_somebody_else(monkeypatch, project)
    refuses(forged, "art trust forged@1")


def _publish(artifact: Artifact) -> ArtifactVersion:
    repository = Repository.discover()
    with repository.transaction("forge") as transaction:
        fresh = versions.fresh("forged", transaction.put(artifact), "saved")
        versions.add(transaction, fresh, {}, {})
    found = Client().get_artifact_version("forged")
    assert isinstance(found, ArtifactVersion)
    return found


# Proofs


def proof_file() -> Path:
    """Where the one proof there is stands."""
    [file] = Repository.discover().layout.trust.iterdir()
    return file


@pytest.mark.parametrize("content", [b"", b"x", b"\0" * 32, os.urandom(4096)], ids=["empty", "torn", "zeros", "noise"])
def test_other_bytes_are_no_proof(stored: ArtifactVersion, content: bytes) -> None:
    proof_file().write_bytes(content)
    refuses(stored)


def test_a_torn_proof_does_not_hide_others(stored: ArtifactVersion) -> None:
    proof = proof_file().read_bytes()
    assert len(proof) == 32
    for around in (proof[:7] + proof, proof + proof[:9], proof * 3):
        proof_file().write_bytes(around)
        assert stored.load() == "cuckoo"


def test_links_are_not_followed(stored: ArtifactVersion, project: Path) -> None:
    layout = Repository.discover().layout
    file = proof_file()
    precious = file.rename(project / "precious")
    before = precious.read_bytes()
    file.symlink_to(precious)
    refuses(stored)
    with pytest.raises(StorageError, match="remove it"):
        proofs.note_made(layout, stored.id)
    file.unlink()
    layout.trust.rmdir()
    layout.trust.symlink_to(project)
    with pytest.raises(StorageError, match="remove it"):
        proofs.note_made(layout, stored.id)
    assert precious.read_bytes() == before
    assert not (project / file.name).exists()


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_file_makes_nobody_wait(stored: ArtifactVersion, make: Callable[[Path], None]) -> None:
    file = proof_file()
    file.unlink()
    make(file)
    with pytest.raises((UntrustedData, StorageError)):
        stored.load()
    with pytest.raises(StorageError):
        proofs.note_made(Repository.discover().layout, stored.id)
    assert ran == []


def test_only_the_end_of_a_huge_file_is_read(stored: ArtifactVersion) -> None:
    proof = proof_file().read_bytes()
    with proof_file().open("r+b") as opened:
        opened.truncate(1 << 40)
        refuses(stored)
        opened.seek(0, os.SEEK_END)
        opened.write(proof)
    assert stored.load() == "cuckoo"


# The secret


def test_values_that_run_no_code_need_no_secret(project: Path) -> None:
    save_artifact([1, "two", {"three": 3.0}], "plain")
    assert Client().get_artifact_version("plain").load() == [1, "two", {"three": 3.0}]
    assert not proofs.secret_path().exists()
    assert not Repository.discover().layout.trust.exists()


def test_the_secret_is_the_user_s_alone(stored: ArtifactVersion) -> None:
    path = proofs.secret_path()
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert len(path.read_bytes()) == 32
    assert [each.name for each in path.parent.iterdir()] == ["secret"]


def test_the_state_folder_is_that_of_the_xdg_specification(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for unset in ("", "relative/path"):
        monkeypatch.setenv("XDG_STATE_HOME", unset)
        assert proofs.secret_path() == tmp_path / ".local" / "state" / "artvcs" / "secret"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602])
def test_a_secret_that_others_can_read_or_write_is_refused(stored: ArtifactVersion, mode: int) -> None:
    proofs.secret_path().chmod(mode)
    refuses(stored, r"others can read or write .*secret; run `chmod 600 ")
    with pytest.raises(UnusableSecret):
        proofs.trust(Repository.discover().layout, [stored.id])
    proofs.secret_path().chmod(0o600)
    assert stored.load() == "cuckoo"


def test_a_secret_that_others_could_replace_is_refused(stored: ArtifactVersion) -> None:
    proofs.secret_path().parent.chmod(0o777)
    refuses(stored, "others can write to .*; run `chmod 700 ")


def test_a_secret_of_somebody_else_is_refused(stored: ArtifactVersion, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    refuses(stored, "belongs to another user")


@pytest.mark.parametrize("content", [b"", b"x" * 31, b"x" * 33])
def test_a_damaged_secret_is_refused(stored: ArtifactVersion, content: bytes) -> None:
    proofs.secret_path().write_bytes(content)
    refuses(stored, "is not 32 bytes long; remove it")
    proofs.secret_path().unlink()
    refuses(stored)  # a new secret: what was made before is anybody's


def test_where_no_secret_can_be_kept_values_are_stored_but_not_trusted(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "file").touch()
    monkeypatch.setenv("XDG_STATE_HOME", str(project / "file" / "state"))
    save_artifact(Canary(), "bird")
    ran.clear()
    refuses(Client().get_artifact_version("bird"), "cannot be made or read.*set XDG_STATE_HOME")


def test_without_a_home_values_are_stored_but_not_trusted(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "")
    monkeypatch.setattr(Path, "home", _no_home)
    save_artifact(Canary(), "bird")
    ran.clear()
    refuses(Client().get_artifact_version("bird"), "there is no home folder")


def _no_home() -> Path:
    raise RuntimeError("Could not determine home directory.")


NOTE = """
import sys, time
from pathlib import Path
from artvcs.vcs.trust import proofs
from artvcs.vcs.storage.layout import Layout

while time.time() < float(sys.argv[1]):
    pass
proofs.note_made(Layout(Path.cwd()), "%064x" % int(sys.argv[2]))
"""


@pytest.mark.long
def test_processes_that_make_the_secret_at_once_agree(tmp_path: Path) -> None:
    for _ in range(3):
        shutil.rmtree(proofs.secret_path().parent, ignore_errors=True)
        begin = str(time.time() + 1)
        running = [subprocess.Popen([sys.executable, "-c", NOTE, begin, str(n)], cwd=tmp_path) for n in range(4)]
        assert [process.wait(60) for process in running] == [0] * 4
        assert len(proofs.made_here(Layout(tmp_path), (Oid(f"{n:064x}") for n in range(4)))) == 4
        assert [each.name for each in proofs.secret_path().parent.iterdir()] == ["secret"]


# Names of classes, which are modules to import

SHOP = """
from dataclasses import dataclass
from pathlib import Path
from artvcs import Materializer

print("shop runs")

@dataclass
class Order:
    amount: int

class Basket:
    pass

class BasketMaterializer(Materializer):
    ASSOCIATED_TYPES = (Basket,)
    def save(self, data):
        Path(self.uri, "basket").touch()
    def load(self, data_type):
        return data_type()
"""
MAKE = """
from artvcs import save_artifact
from shop import Basket, Order

save_artifact(Order(3), "order")
save_artifact({"orders": [Order(3)]}, "orders")
save_artifact(Basket(), "basket")
save_artifact([Basket()], "baskets")
"""
LOAD = """
import sys
from artvcs import Client

if sys.argv[1] == "import":
    import shop
for name in ("order", "orders", "basket", "baskets"):
    try:
        print(Client().get_artifact_version(name).load())
    except Exception as error:
        print(type(error).__name__, error)
"""


@pytest.mark.long
def test_classes_of_modules_that_nobody_here_imported(python: Python, project: Path) -> None:
    for name, text in {"shop": SHOP, "make": MAKE, "load": LOAD}.items():
        (project / f"{name}.py").write_text(text)
    python("make.py")

    mine = python("load.py", "plainly").stdout
    assert mine.startswith("shop runs\nOrder(amount=3)\n{'orders': [Order(amount=3)]}\n<shop.Basket object")

    another = str(project / "another-state")
    refused = python("load.py", "plainly", XDG_STATE_HOME=another).stdout.splitlines()
    assert len(refused) == 4
    for line, name in zip(refused, ("order", "orders", "basket", "baskets"), strict=True):
        assert line.startswith(f"UntrustedData Loading {name}@1 imports the module shop, which runs it")
        assert f"`art trust {name}@1`" in line

    imported = python("load.py", "import", XDG_STATE_HOME=another).stdout
    assert imported.splitlines()[:3] == mine.splitlines()[:3]
    assert "Untrusted" not in imported

    (project / "shop.py").unlink()
    gone = python("load.py", "plainly", XDG_STATE_HOME=another).stdout
    assert "MaterializerError The class shop:Order cannot be imported" in gone
