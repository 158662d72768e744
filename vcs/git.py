"""What Git says about the project: the only place that knows pygit2.

pygit2 takes a tenth of a second to import, so nothing here imports it before there is a Git repository to ask.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit, urlunsplit

from .errors import UnknownName

if TYPE_CHECKING:
    import pygit2

T = TypeVar("T")

MAX_DIFF = 10 << 20
"""Of a dirty diff of more bytes than this only a note is kept."""


@dataclass(frozen=True)
class Snapshot:
    """Where a project's Git repository stands.

    Attributes:
        commit: HEAD's commit, None before the first.
        branch: The branch's short name, None when detached.
        remote: URL of the remote `origin`, without credentials.
        diff: The uncommitted changes to tracked files as a patch; empty when there are none.
    """

    commit: str | None
    branch: str | None
    remote: str | None
    diff: bytes


def find_root(start: Path) -> Path | None:
    """The top of the Git working tree that holds `start`, if there is one."""
    for folder in (start, *start.parents):
        if (folder / ".git").exists():
            return folder
    return None


def snapshot(start: Path) -> Snapshot | None:
    """Where the Git repository around `start` stands; None when there is none that can be read."""

    def look(root: Path, repository: pygit2.Repository) -> Snapshot:
        if repository.head_is_unborn:
            return Snapshot(None, _unborn_branch(root), _remote(repository), b"")
        branch = None if repository.head_is_detached else repository.head.shorthand
        return Snapshot(str(repository.head.target), branch, _remote(repository), _diff(repository))

    return _looked(start, look)


def head(start: Path) -> str | None:
    """The commit that is checked out around `start`; None before the first, and where no Git can be read."""
    return _looked(start, lambda _, found: None if found.head_is_unborn else str(found.head.target))


def files(start: Path) -> list[str] | None:
    """The files in the working tree around `start` that Git tracks, or would track, by their paths from its top.

    None where no Git can be read.
    """

    def look(_: Path, repository: pygit2.Repository) -> list[str]:
        import pygit2

        new = pygit2.enums.FileStatus.WT_NEW
        fresh = {name for name, status in repository.status(untracked_files="all").items() if status & new}
        return sorted({entry.path for entry in repository.index} | fresh)

    return _looked(start, look)


def _looked(start: Path, look: Callable[[Path, pygit2.Repository], T]) -> T | None:
    """What a look at the Git repository around `start` finds; None where there is none that can be read."""
    root = find_root(start)
    if root is None:
        return None
    import pygit2

    try:
        return look(root, pygit2.Repository(str(root)))
    except (pygit2.GitError, KeyError, OSError, ValueError):
        return None  # a broken or unreadable Git repository must not stop a pipeline


class Named:
    """A Git revision by its name, and all that came before it.

    Attributes:
        start: A folder in the working tree.
        name: A branch, tag, commit or expression such as `HEAD~3`.

    Raises:
        UnknownName: There is no Git repository, or no such revision in it.
    """

    def __init__(self, start: Path, name: str) -> None:
        self.start, self.name = start, name
        root = find_root(start)
        if root is None:
            raise UnknownName(f"{name!r} is no version; no Git repository is here in which it may be a revision.")
        import pygit2

        try:
            self._repository = pygit2.Repository(str(root))
            self._tip = self._repository.revparse_single(name).peel(pygit2.Commit).id
        except (pygit2.GitError, KeyError, ValueError):
            message = f"{name!r} is neither a version nor a Git revision; `git log` and `art ls` show what there is."
            raise UnknownName(message) from None

    @property
    def id(self) -> str:
        """The commit's hash."""
        return str(self._tip)

    def reaches(self, commit: str) -> bool:
        """Whether the revision is this commit or one of its descendants."""
        import pygit2

        try:
            found = pygit2.Oid(hex=commit)
            return found == self._tip or bool(self._repository.descendant_of(self._tip, found))
        except (pygit2.GitError, KeyError, ValueError):
            return False  # a commit of another clone that is not here


def author(start: Path) -> str | None:
    """`Name <email>` as Git is configured there, if it is."""
    root = find_root(start)
    if root is None:
        return None
    try:
        told = configured(root, r"^user\.(name|email)$")
    except OSError:  # there is no such program
        return _looked(root, _signature)
    name, email = told.get("user.name", "").strip(), told.get("user.email", "").strip()
    return f"{name} <{email}>" if name and email else None


def configured(start: Path, names: str) -> dict[str, str]:
    """What Git is told under the names that a regular expression fits; the names are in small letters.

    The program `git` is asked, for every change asks for its author: it answers in milliseconds.

    Raises:
        OSError: There is no such program.
    """
    said = _asked(start, "config", "--null", "--get-regexp", names)
    return {key: value for key, _, value in (line.partition("\n") for line in said.split("\0"))}


def branch(start: Path) -> str | None:
    """The branch that is checked out; None where there is none, or no Git."""
    try:
        ref = _asked(start, "symbolic-ref", "--quiet", "HEAD").strip() if find_root(start) else ""
    except OSError:
        return None
    # Git's own short form is longer where a tag has the same name.
    return ref.removeprefix("refs/heads/") or None


def _asked(start: Path, *command: str) -> str:
    """What the program `git` says; nothing where it refuses."""
    import subprocess

    root = find_root(start)
    where = () if root is None else (f"--git-dir={root / '.git'}",)
    done = subprocess.run(["git", *where, *command], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return done.stdout.decode(errors="replace")


def _signature(_: Path, repository: pygit2.Repository) -> str:
    signature = repository.default_signature
    return f"{signature.name} <{signature.email}>"


def _unborn_branch(root: Path) -> str | None:
    head = root / ".git" / "HEAD"
    text = head.read_text().strip() if head.is_file() else ""
    return text.removeprefix("ref: refs/heads/") if text.startswith("ref: refs/heads/") else None


def _remote(repository: pygit2.Repository) -> str | None:
    if "origin" not in list(repository.remotes.names()):
        return None
    return without_credentials(repository.remotes["origin"].url or "")


def without_credentials(url: str) -> str:
    """The URL with any `user:password@` removed: no credentials enter the repository."""
    parts = urlsplit(url)
    if not parts.scheme or "@" not in parts.netloc:
        return url
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _diff(repository: pygit2.Repository) -> bytes:
    import pygit2

    diff = repository.diff("HEAD", flags=pygit2.enums.DiffOption.SHOW_BINARY)
    # Patch by patch: the text of them all together cannot be had when a file is not in UTF-8.
    patch = b"".join(part.data for part in diff if part is not None) if isinstance(diff, pygit2.Diff) else b""
    if len(patch) > MAX_DIFF:
        return f"# The uncommitted changes are not kept: {len(patch)} bytes.\n".encode()
    return patch


@dataclass(frozen=True)
class Revision:
    """One commit of Git's.

    Attributes:
        id: Its hash.
        parents: Those of the commits before it.
        time: When it was made, in milliseconds since 1970 UTC.
        author: Who made it.
    """

    id: str
    parents: tuple[str, ...]
    time: int
    author: str


class History:
    """All commits of a Git repository, and the files that they have.

    Args:
        start: A folder in the working tree.

    Raises:
        UnknownName: There is no Git repository that can be read.
    """

    def __init__(self, start: Path) -> None:
        root = find_root(start.resolve())
        if root is None:
            raise UnknownName(f"{start} is in no Git repository; give the path of one.")
        import pygit2

        try:
            self._repository = pygit2.Repository(str(root))
        except pygit2.GitError as error:
            raise UnknownName(
                f"The Git repository {root} cannot be read ({error}); look at it with `git fsck`."
            ) from None
        self.top = root
        self._known: dict[tuple[str, object], list[tuple[str, str]]] = {}

    @property
    def remote(self) -> str | None:
        """URL of the remote `origin`, without credentials."""
        return _remote(self._repository)

    def revisions(self) -> Iterator[Revision]:
        """All commits that a branch, a tag or HEAD leads to, each after those before it."""
        import pygit2

        walker = self._repository.walk(None, pygit2.enums.SortMode.TOPOLOGICAL | pygit2.enums.SortMode.REVERSE)
        tips = [reference.target for reference in self._repository.references.objects]
        for tip in (*tips, *self._head()):
            with suppress(pygit2.GitError, KeyError, ValueError):  # one that is broken hides none of the others
                walker.push(self._repository[tip].peel(pygit2.Commit).id)
        yield from map(_revision, walker)

    @property
    def head(self) -> str | None:
        """The commit that is checked out; None before the first."""
        return None if self._repository.head_is_unborn else str(self._repository.head.target)

    def _head(self) -> tuple[pygit2.Oid | str, ...]:
        return () if self._repository.head_is_unborn else (self._repository.head.target,)

    def files(self, revision: Revision, wanted: Callable[[str], bool]) -> list[tuple[str, str]]:
        """Path and blob of each file of a commit whose name is wanted."""
        return self._below(self._tree(revision), (wanted, None))

    def small_files(self, revision: Revision, most: int) -> list[tuple[str, str]]:
        """Path and blob of each file of a commit that has so many bytes at most."""
        return self._below(self._tree(revision), (None, most))

    def file(self, revision: Revision, path: str) -> str | None:
        """The blob of a file of a commit; None where it has none there."""
        found: Any = self._repository[self._tree(revision)]
        try:
            found = found[path]
        except KeyError:
            return None
        return str(found.id) if found.type_str == "blob" else None

    def commit(self, revision: Named) -> Revision:
        """The commit that a name stands for."""
        found: Any = self._repository[revision.id]
        return _revision(found)

    def read(self, blob: str) -> bytes:
        """What a file holds."""
        found: Any = self._repository[blob]
        return bytes(found.data)

    def _tree(self, revision: Revision) -> str:
        found: Any = self._repository[revision.id]
        return str(found.tree_id)

    def _below(self, tree: str, asked: tuple[Callable[[str], bool] | None, int | None]) -> list[tuple[str, str]]:
        """The same folder of several commits is looked at once."""
        key = (tree, asked)
        if key not in self._known:
            wanted, most = asked
            found = list[tuple[str, str]]()
            entries: Any = self._repository[tree]
            for entry in entries:
                name, oid = str(entry.name), str(entry.id)
                if entry.type_str == "tree":
                    found += [(f"{name}/{path}", blob) for path, blob in self._below(oid, asked)]
                elif (
                    entry.type_str == "blob"
                    and entry.filemode != _LINK
                    and (wanted is None or wanted(name))
                    and (most is None or entry.size <= most)
                ):
                    found.append((name, oid))
            self._known[key] = found
        return self._known[key]


def _revision(commit: pygit2.Commit) -> Revision:
    author = f"{commit.author.name} <{commit.author.email}>"
    parents = tuple(str(parent) for parent in commit.parent_ids)
    return Revision(str(commit.id), parents, max(0, commit.commit_time) * 1000, author)


_LINK = 0o120000


def is_ignored(project: Path, path: str) -> bool:
    """Whether Git leaves a path in a project alone; False where there is no Git repository that can be read."""

    def look(root: Path, repository: pygit2.Repository) -> bool:
        inside = (project / path).resolve().relative_to(root.resolve())
        return bool(repository.path_is_ignored(inside.as_posix()))

    return _looked(project, look) or False
