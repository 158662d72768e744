"""What a machine has to know of a run before it can execute its steps, told once: code, how it is loaded, the remote.

A worker imports the modules that the run's process has imported under the same names when they are first needed, and of
the program what it defines.
"""

from __future__ import annotations

import contextlib
import io
import linecache
import os
import sys
from collections.abc import Collection, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from artvcs.vcs import FOLDER_NAME, Configured, Repository

from .....define import building
from .....errors import PipelineError
from .....fingerprint import own_modules, stated
from .....trace import chance
from ...spelling import Defined, Known, Placed
from . import program, project
from .project import Parcel

MAIN = "__main__"


@dataclass(frozen=True)
class Session:
    """A run, as a machine has to know it.

    Attributes:
        id: What it is called.
        parcel: The project's files.
        repository: The folder that holds the run's repository.
        cwd: The working directory of the run's process.
        path: Its `sys.path`.
        argv: Its `sys.argv`.
        modules: Modules of the user's that it has loaded → their files.
        programs: Those of them that are, or hold, what runs the pipeline → the names that these define.
        variables: Of each of the modules the values of its variables.
        left_out: Variables of the programs whose values do not travel.
        chance: Sources of random numbers that somebody has seeded → their states, as a trace tells them.
        cells: What was typed, by the names of the files that it pretends to be.
        remote: What is shared, and nothing else.
    """

    id: str
    parcel: Parcel = field(repr=False)
    repository: str
    cwd: str
    path: tuple[str, ...]
    argv: tuple[str, ...]
    modules: Mapping[str, str]
    programs: Mapping[str, AbstractSet[str]] = field(repr=False)
    variables: Mapping[str, Mapping[str, bytes]] = field(repr=False)
    left_out: frozenset[str]
    chance: Mapping[str, str] = field(repr=False)
    cells: Mapping[str, str] = field(repr=False)
    remote: Configured

    @classmethod
    def of(cls, id_: str, repository: Repository, remote: Configured, file: Path | None) -> Session:
        """The session of a run that this process coordinates.

        Args:
            id_: What it is called.
            repository: The run's repository.
            remote: What is shared.
            file: The file that declares the pipeline, if one does.

        Raises:
            PipelineError: Its code is too large to travel.
        """
        modules = {name: path for name, path in own_modules().items() if os.path.isfile(path)}
        programs = {name: program.defined(path) for name, path in modules.items() if name == MAIN or path == str(file)}
        parcel, cells = project.pack(repository.project, set(modules.values())), _cells()
        known = Placed(programs, parcel.inside, lambda *_: "")
        variables = {name: program.variables(sys.modules[name], path, known) for name, path in modules.items()}
        if stated(sys.modules[MAIN], "__file__") is None:
            variables[MAIN] = program.typed(sys.modules[MAIN], cells.values(), known)
        left_out = {
            each for name in programs for each in program.names(sys.modules[name], modules[name], known)
        }.difference(*(variables[name] for name in programs))
        return cls(
            id_,
            parcel,
            str(repository.project),
            os.getcwd(),
            tuple(os.path.abspath(each) if each else "" for each in sys.path),
            tuple(sys.argv),
            modules,
            programs,
            variables,
            frozenset(left_out),
            chance.seeded(),
            cells,
            remote,
        )

    def known(self) -> Defined:
        """What both ends have, as the run's process calls it."""
        return Defined(self.programs)

    def enter(self, folder: Path) -> Path:
        """Makes this process one in which its steps can be executed; all its files are placed in a folder.

        Args:
            folder: It is made.

        Returns:
            Where the `.artifacts` folder belongs.

        Raises:
            PipelineError: A file cannot be loaded.
        """
        self.parcel.place(folder)
        chance.leave(self.chance)
        there = Path(self._there(self.cwd, folder))
        there.mkdir(parents=True, exist_ok=True)
        os.chdir(there)
        placed = {each: self._there(each, folder) for each in self.path if "site-packages" not in each}
        sys.path[:0] = [there for each, there in placed.items() if there != each or not each]
        sys.argv[:] = [self._there(self.argv[0], folder), *self.argv[1:]] if self.argv else [""]
        linecache.cache |= {
            name: (len(text), None, text.splitlines(keepends=True), name) for name, text in self.cells.items()
        }
        files = {name: self._there(path, folder) for name, path in self.modules.items()}
        placed_values = Placed({}, lambda _: None, lambda number, path: self.parcel.at(number, path, folder))
        importer = _Importer(files, self.programs, self.variables, placed_values)
        sys.meta_path.insert(0, importer)
        if MAIN in self.programs:
            importer.load_program()
        elif MAIN in self.variables:
            sys.modules[MAIN] = _program()
            program.set_variables(sys.modules[MAIN], self.variables[MAIN], placed_values)
        home = Path(self._there(self.repository, folder)) / FOLDER_NAME
        home.parent.mkdir(parents=True, exist_ok=True)
        return home

    def _there(self, path: str, folder: Path) -> str:
        return self.parcel.there(os.path.abspath(path), folder) if path else path


def _cells() -> dict[str, str]:
    return {
        name: "".join(entry[2])
        for name, entry in linecache.cache.copy().items()
        if len(entry) == 4 and not os.path.exists(name)  # no file is behind it
    }


def _program() -> ModuleType:
    """An empty module in the place of the program that runs."""
    module = ModuleType(MAIN)
    vars(module)["__builtins__"] = __builtins__
    return module


class _Importer:
    """Finds the modules that the run's process has, where it has them. See `importlib.abc.MetaPathFinder`."""

    def __init__(
        self,
        files: Mapping[str, str],
        programs: Collection[str],
        variables: Mapping[str, Mapping[str, bytes]],
        known: Known,
    ) -> None:
        self._files = files
        self._programs = programs
        self._variables = variables
        self._known = known

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """See `importlib.abc.MetaPathFinder.find_spec`."""
        if (file := self._files.get(name)) is None or not os.path.isfile(file):
            return None
        folder = [os.path.dirname(file)] if os.path.basename(file) == "__init__.py" else None
        kind = _Defining if name in self._programs else _Quiet
        loader = kind(name, file, self._variables.get(name, {}), self._known)
        return spec_from_file_location(name, file, loader=loader, submodule_search_locations=folder)

    def load_program(self) -> None:
        """Loads the program that runs. Raises PipelineError."""
        file, module = self._files[MAIN], _program()
        module.__file__ = file
        sys.modules[MAIN] = module
        try:
            with _loading():
                program.define(module, file, self._variables[MAIN], self._known)
        except (Exception, SystemExit) as error:
            raise PipelineError(
                f"The worker cannot load {file} ({type(error).__name__}: {error}); see what it needs that only the "
                "machine has that runs the pipeline."
            ) from error


class _Quiet(SourceFileLoader):
    """Imports a module, whose variables have the values that they have where the run is.

    What it prints was printed there.
    """

    def __init__(self, name: str, path: str, values: Mapping[str, bytes], known: Known) -> None:
        super().__init__(name, path)
        self._values = values
        self._known = known

    def exec_module(self, module: ModuleType) -> None:
        """See `importlib.abc.Loader.exec_module`."""
        assert module.__spec__ is not None
        module.__loader__ = module.__spec__.loader = SourceFileLoader(self.name, self.path)
        with _loading():
            self.execute(module, self._values, self._known)

    def execute(self, module: ModuleType, values: Mapping[str, bytes], known: Known) -> None:
        """Executes its code."""
        super().exec_module(module)
        program.set_variables(module, values, known)


class _Defining(_Quiet):
    """Imports of a module what it defines."""

    def execute(self, module: ModuleType, values: Mapping[str, bytes], known: Known) -> None:
        """See `_Quiet.execute`."""
        program.define(module, self.path, values, known)


@contextlib.contextmanager
def _loading() -> Iterator[None]:
    """Inside the block files are loaded for what they define; what they print was printed where the run is."""
    token = building.loading.set(True)
    try:
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            yield
    except building.Reached:
        pass  # what a file defines before it runs a pipeline is there
    finally:
        building.loading.reset(token)
