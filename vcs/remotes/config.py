"""Which repositories elsewhere a project knows: in its `pyproject.toml`, which all share, or in this repository alone.

    [tool.artvcs.remotes]
    origin = "s3://bucket/prefix"
    lab = { url = "s3://artifacts/us", endpoint = "https://s3.lab.example", region = "eu-central-1" }

Below it in the project there may be others, which go before for whoever is in their folder. The file `config.toml` of
the repository has the same tables without `tool.artvcs`, and goes before. What each run does
stands in the table `run`, and whose results count in the table `trust`: see `trust.policy`.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import git
from ..errors import InvalidName, RepositoryError, UnknownName, storage_errors
from ..repository import ENVIRONMENT_VARIABLE, Repository
from ..storage.disk import durable
from ..storage.layout import FOLDER_NAME
from ..trust.policy import Policy
from .places.address import Address, parse
from .remote import check_remote_name

if TYPE_CHECKING:
    from collections.abc import MutableMapping

DEFAULT = "origin"
"""The remote that is meant where several are known and none is named."""

_SHARED = ("tool", "artvcs")
_KEYS = ("url", "endpoint", "region")
_RUN = {"fetch": bool, "push": bool, "executor": str, "jobs": int}


@dataclass(frozen=True)
class Configured:
    """A repository elsewhere, as it is configured.

    Attributes:
        name: What it is called here.
        address: Where it is.
        file: The file that says so.
    """

    name: str
    address: Address
    file: Path


@dataclass(frozen=True)
class Settings:
    """What a project says of its exchange with others, and of its runs.

    Attributes:
        remotes: Name → repository elsewhere.
        fetch: Whether each run fetches before.
        push: Whether each run pushes after.
        executor: Where each run executes its steps.
        jobs: How many of them side by side.
        trust: Whose results count; None where nothing says.
    """

    remotes: Mapping[str, Configured]
    fetch: bool = False
    push: bool = False
    executor: str | None = None
    jobs: int | None = None
    trust: Policy | None = None

    def remote(self, name: str | None = None, command: str | None = None) -> Configured:
        """The repository elsewhere of this name; without one the only one, or else the one called `origin`.

        Args:
            name: Its name.
            command: What is written before a name, as `art push --to`; None where nobody is asked for one.

        Raises:
            UnknownName: There is none.
        """
        names = ", ".join(sorted(self.remotes))
        if not self.remotes:
            raise UnknownName("No remote is known; `art remote add origin URL` adds one.")
        if name is None and len(self.remotes) > 1 and DEFAULT not in self.remotes:
            example = f"name one, as in `{command} {min(self.remotes)}`"
            raise UnknownName(
                f"There are several remotes, {names}; {example if command else f'call one of them {DEFAULT!r}'}."
            )
        chosen = name or (DEFAULT if DEFAULT in self.remotes else names)
        if chosen not in self.remotes:
            raise UnknownName(f"There is no remote {chosen!r}, only {names}; `art remote add` adds one.")
        return self.remotes[chosen]


def read(repository: Repository) -> Settings:
    """What is configured for a repository.

    Raises:
        RepositoryError: A file of configuration cannot be understood.
        InvalidName: It says something that cannot be.
    """
    local, here = local_file(repository), _here(repository)
    # Where the environment names a repository, it may lie anywhere; what its own project says counts as well.
    settings = Settings({}) if here.is_relative_to(repository.project) else read_shared(repository.project)
    return _added(_read_on(settings, here), local, _table(local), _top(repository.project))


def read_shared(folder: Path) -> Settings:
    """What is configured for all who have a project, whether or not there is a repository here. Raises as `read`."""
    return _read_on(Settings({}), folder)


def _read_on(settings: Settings, folder: Path) -> Settings:
    """Adds what the files from the top of a project down to a folder say; a nearer one goes before."""
    for file in _files(folder):
        settings = _added(settings, file, _table(file, *_SHARED), file.parent)
    return settings


def shared_file(repository: Repository) -> Path:
    """The `pyproject.toml` of a project into which is written: the nearest one that says something to us already."""
    files = _files(_here(repository))
    return next((file for file in reversed(files) if _table(file, *_SHARED)), files[0])


def _here(repository: Repository) -> Path:
    """Where whoever asks is, if that is in the project, or says nothing of it; else the project's folder."""
    here = Path.cwd()
    inside = here.is_relative_to(repository.project) or bool(os.environ.get(ENVIRONMENT_VARIABLE))
    return here if inside else repository.project


def _files(folder: Path) -> list[Path]:
    """Where something may be said to those who are in a folder, from the top of the project down."""
    top = _top(folder)
    return [each / "pyproject.toml" for each in (folder, *folder.parents) if each.is_relative_to(top)][::-1]


def _top(folder: Path) -> Path:
    """The top of the working tree of Git, or of what belongs to one repository, or else the folder itself."""
    return git.find_root(folder) or next(
        (each for each in (folder, *folder.parents) if (each / FOLDER_NAME).is_dir()), folder
    )


def local_file(repository: Repository) -> Path:
    """The configuration of this repository alone."""
    return repository.layout.config


def add(repository: Repository, configured: Configured, url: str) -> None:
    """Writes a repository elsewhere into its file.

    Raises:
        InvalidName: Its name is taken.
        RepositoryError: The file cannot be understood.
    """
    import tomlkit  # costs milliseconds, and is hardly ever needed

    address = configured.address
    more = {"endpoint": address.endpoint, "region": address.region}
    options = {key: value for key, value in more.items() if value is not None}
    value: Any = url
    if options:
        value = tomlkit.inline_table()
        value.update({"url": url, **options})
    if configured.name in read(repository).remotes:
        name = configured.name
        raise InvalidName(f"There is a remote {name!r} already; `art remote rm {name}` removes it.")
    with _editing(configured.file) as document:
        _tables(document, *_path(repository, configured.file), "remotes")[configured.name] = value


def remove(repository: Repository, configured: Configured) -> None:
    """Takes a repository elsewhere out of its file. Raises as `add`."""
    with _editing(configured.file) as document:
        del _tables(document, *_path(repository, configured.file), "remotes")[configured.name]


def _path(repository: Repository, file: Path) -> tuple[str, ...]:
    return () if file == local_file(repository) else _SHARED


def _table(file: Path, *path: str) -> Mapping[str, Any]:
    """What a file says of us; nothing where there is none."""
    with storage_errors(f"reading {file}"):
        try:
            text = file.read_text(encoding="utf-8")
        except FileNotFoundError:
            return {}
        except UnicodeDecodeError as error:
            raise RepositoryError(f"{file} cannot be understood: {error}; correct it.") from error
        if path and path[-1] not in text:
            return {}
        import tomllib  # costs milliseconds

        try:
            found: Any = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise RepositoryError(f"{file} cannot be understood: {error}; correct it.") from error
    for name in path:
        found = found.get(name, {}) if isinstance(found, dict) else {}
    if not isinstance(found, dict):
        raise RepositoryError(f"[tool.artvcs] in {file} is no table; correct it.")
    return found


def _added(settings: Settings, file: Path, table: Mapping[str, Any], top: Path) -> Settings:
    """The settings with those of a file, which go before; paths in them begin in the project's folder `top`."""
    remotes = table.get("remotes", {})
    if not isinstance(remotes, dict):
        raise RepositoryError(f"`remotes` in {file} is no table; correct it.")
    known = {name: _configured(name, found, file) for name, found in remotes.items()}
    run = table.get("run", {})
    if not isinstance(run, dict) or not all(type(run.get(key, kind())) is kind for key, kind in _RUN.items()):
        raise RepositoryError(
            f"`run` in {file} has to say `fetch` and `push` as true or false, `executor` as text and `jobs` as a "
            "number; correct it."
        )
    return replace(
        settings,
        remotes={**settings.remotes, **known},
        fetch=run.get("fetch", settings.fetch),
        push=run.get("push", settings.push),
        executor=run.get("executor", settings.executor),
        jobs=run.get("jobs", settings.jobs),
        trust=Policy.parse(table["trust"], file, top) if "trust" in table else settings.trust,
    )


def _configured(name: str, found: Any, file: Path) -> Configured:
    options = {"url": found} if isinstance(found, str) else found
    if not isinstance(options, dict) or not all(isinstance(options.get(key, ""), str) for key in _KEYS):
        raise RepositoryError(f'The remote {name!r} in {file} has no url; write {name} = "URL".')
    if (unknown := options.keys() - set(_KEYS)) or "url" not in options:
        wrong = f"has {', '.join(sorted(unknown))}, which is not known" if unknown else "has no url"
        raise RepositoryError(f"The remote {name!r} in {file} {wrong}; it has url, endpoint and region.")
    address = parse(options["url"], base=file.parent, endpoint=options.get("endpoint"), region=options.get("region"))
    return Configured(check_remote_name(name), address, file)


@contextmanager
def _editing(file: Path) -> Iterator[Any]:
    """The document in a file; what is changed of it in the block is written. Raises RepositoryError."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        with storage_errors(f"reading {file}"):
            text = file.read_bytes().decode() if file.exists() else ""
        document = tomlkit.parse(text)
        yield document
        data = tomlkit.dumps(document).encode()
    except (TOMLKitError, UnicodeDecodeError) as error:
        raise RepositoryError(f"{file} cannot be understood: {error}; correct it.") from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:  # as where `tool` is no table
        raise RepositoryError(
            f"A remote cannot be written into {file} as it stands ({error}); write it by hand, as docs/team.md shows."
        ) from error
    with storage_errors(f"writing {file}"):
        durable.write_file(file.resolve(), data)


def _tables(document: Any, *names: str) -> MutableMapping[str, Any]:
    """A table in a document, made where it is not there."""
    import tomlkit

    found = document
    for depth, name in enumerate(names):
        if name not in found:
            found[name] = tomlkit.table(is_super_table=depth < len(names) - 1)
        found = found[name]
    return found  # type: ignore[no-any-return]
