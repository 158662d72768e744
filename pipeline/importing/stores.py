"""Stores of MLflow's as it may open them.

What MLflow opens it also makes, completes and migrates: tables in anybody's database, folders in a folder. So it is
looked first whether that is a store of its, and MLflow gets one that it may write: a copy of the database, or a folder
of links to what is in the folder.
"""

from __future__ import annotations

import importlib
import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit
from urllib.request import url2pathname

from ..errors import PipelineError

_TABLES = {"alembic_version", "experiments"}
"""What a database of MLflow's has, whichever release wrote it."""
_SERVED = frozenset(("postgresql", "mysql", "mssql"))
_MADE = (".trash", "models")
"""The folders that MLflow makes in a store of files where they are not there."""
_MARKS = b"artifact_location", b"creation_timestamp"
"""What stands in `meta.yaml` of an experiment, and of a model."""

_WAL = 2
"""What SQLite writes at byte 18 of a database with a write-ahead log. Source: https://www.sqlite.org/fileformat.html."""


@contextmanager
def harmless(uri: str) -> Iterator[str]:
    """An address where MLflow finds what it keeps at `uri`, and which it may write while the block runs.

    Raises:
        PipelineError: There is no store of MLflow's, or it cannot be read.
    """
    with tempfile.TemporaryDirectory(prefix="artvcs-") as folder:
        scheme = urlsplit(uri).scheme.partition("+")[0]
        if scheme == "sqlite":
            yield _copied(Path(uri.partition(":///")[2].partition("?")[0]), Path(folder))
        elif (root := local_path(uri)) is not None:
            yield _linked(root, Path(folder))
        else:
            if scheme in _SERVED:
                _check_tables(uri)
            yield uri


def local_path(uri: str) -> Path | None:
    """The file or folder of this machine that an address stands for; None where it is elsewhere."""
    parts = urlsplit(uri)
    if parts.scheme == "file":
        return Path(url2pathname(parts.path))
    return Path(uri) if not parts.scheme or Path(uri).drive else None


def without_password(uri: str) -> str:
    """An address as it may be shown."""
    parts = urlsplit(uri)
    return uri if parts.password is None else uri.replace(f":{parts.password}@", ":…@", 1)


def _none_at(place: Path | str) -> PipelineError:
    return PipelineError(f"There is no store of MLflow's at {place}; see where its runs were tracked.")


def _copied(place: Path, folder: Path) -> str:
    if not place.is_file():
        raise _none_at(place)
    with open(place, "rb") as file:
        has_log = file.read(19)[18:] == bytes([_WAL])
    # A log that is not there is nobody's, and to look for it SQLite would make one.
    mode = "immutable=1" if has_log and not Path(f"{place}-wal").exists() else "mode=ro"
    copy = folder / "mlflow.db"
    try:
        with (
            closing(sqlite3.connect(f"file:{quote(str(place.absolute()))}?{mode}", uri=True)) as source,
            closing(sqlite3.connect(copy)) as target,
        ):
            tables = {name for (name,) in source.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if not tables >= _TABLES:
                raise _none_at(place)
            source.backup(target)
    except sqlite3.OperationalError as error:
        raise PipelineError(f"The database {place} cannot be read ({error}); see that it can.") from error
    except sqlite3.DatabaseError:
        raise _none_at(place) from None
    return f"sqlite:///{copy}"


def _linked(root: Path, folder: Path) -> str:
    if root.is_file():
        raise PipelineError(f"{root} is a file; a database of MLflow's is written as sqlite:///{root}.")
    if not any(map(_is_of_files, (root, *(root / each for each in _MADE)))):
        raise _none_at(root)
    os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"  # without, MLflow refuses folders: it does not develop them any more
    for each in root.iterdir():
        (folder / each.name).symlink_to(each.absolute())
    for name in _MADE:
        (folder / name).mkdir(exist_ok=True)
    return folder.as_uri()


def _is_of_files(folder: Path) -> bool:
    """Whether a folder holds experiments or models as MLflow writes them."""
    found = (each / "meta.yaml" for each in folder.iterdir()) if folder.is_dir() else ()
    return any(any(mark in each.read_bytes() for mark in _MARKS) for each in found if each.is_file())


def _check_tables(uri: str) -> None:
    """Refuses a database on a server that MLflow would fill or migrate."""
    shown = without_password(uri)
    try:
        sqlalchemy: Any = importlib.import_module("sqlalchemy")  # MLflow brings it along
        models: Any = importlib.import_module("mlflow.store.tracking.dbmodels.models")
        with closing(sqlalchemy.create_engine(uri).connect()) as connection:
            tables = set(sqlalchemy.inspect(connection).get_table_names())
    except Exception as error:  # of a driver, which may raise anything
        reason = " ".join((str(error) or type(error).__name__).split())
        raise PipelineError(f"The database {shown} cannot be read ({reason}); see that it can.") from error
    if not tables >= _TABLES:
        raise _none_at(shown)
    if not tables >= set(models.Base.metadata.tables):
        raise PipelineError(
            f"The database {shown} is of another release of MLflow's, and this one would change it; install the "
            "release that wrote it, or migrate it with `mlflow db upgrade`."
        )
