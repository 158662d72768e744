"""Code that does the same has one id, wherever it stands and whatever is called how; other code has another.

Small programs are made at random, each from a plan: what its functions do and use. One plan is written down in many
ways: in other files, with other imports, names of local variables and type hints. Plans differ in little, so that many
programs look alike; none may have the id of one that gives another result.
"""

import random
from collections import defaultdict
from typing import Any, NamedTuple

import pytest

Project = Any  # the fixture in conftest.py

FILES = ("main_part.py", "tools/first.py", "tools/second.py", "third.py")
BODIES = (
    "{local} = x + {constant}\n    return {local} * 2 - {called}({local})",
    "{local} = x + {constant}\n    return {called}({local}) * 2 - {local}",
    "return sum({called}({local}) for {local} in (x, {constant}))",
    "{local} = 1\n    return (lambda y: {called}(y - {local}))(x)",
    "{local} = {other} = x\n    {other} += {constant}\n    return {called}({local}) - {other}",
    "{local} = {other} = x\n    {local} += {constant}\n    return {called}({local}) - {other}",
    "def inner(y):\n        {local} = y + x\n        return {called}({local})\n    return inner({constant})",
)
LOCALS = ("a", "b", "total", "called", "rate")
HINTS = ("", ": int", ": 'int | None'", ": object")


class Function(NamedTuple):
    """What a function does: its body, the function that it calls, the constant that it reads."""

    body: int
    calls: int
    constant: int


Plan = tuple[tuple[Function, ...], tuple[int, ...]]
"""Functions, of which the step calls the first two, and the values of constants."""


def plan(chance: random.Random) -> Plan:
    functions = [
        # Only later ones are called, so that it ends; the last two call a builtin.
        Function(chance.randrange(len(BODIES)), chance.randrange(at + 1, 6) if at < 2 else 9, chance.randrange(2))
        for at in range(4)
    ]
    return tuple(functions), (chance.randrange(1, 3), chance.randrange(1, 3))


def written(of: Plan, chance: random.Random) -> dict[str, str]:
    """One way to write down a plan: the files of a project."""
    functions, constants = of
    names = {f"work_{at}": chance.choice(FILES) for at in range(len(functions))}
    names |= {f"RATE_{at}": chance.choice(FILES) for at in range(len(constants))}
    heads: dict[str, list[str]] = defaultdict(list)
    bodies: dict[str, list[str]] = defaultdict(list)
    for at, value in enumerate(constants):
        bodies[names[f"RATE_{at}"]].append(f"RATE_{at} = {value}\n")
    for at, function in enumerate(functions):
        file = names[f"work_{at}"]
        local, other = chance.sample(LOCALS, 2)
        callee = f"work_{function.calls}" if function.calls < len(functions) else "abs"
        text = BODIES[function.body].format(
            local=local,
            other=other,
            called=used(callee, file, names, heads, chance),
            constant=used(f"RATE_{function.constant}", file, names, heads, chance),
        )
        bodies[file].append(f"def work_{at}(x{chance.choice(HINTS)}):\n    {text}\n")
    calls = [used(f"work_{at}", "pipeline.py", names, heads, chance) for at in (0, 1)]
    bodies["pipeline.py"] = [f"def train():\n    return {calls[0]}(3) - {calls[1]}(5)\n"]
    for file in bodies:
        chance.shuffle(bodies[file])
        chance.shuffle(heads[file])
    # Imports come last: modules that need each other can be imported all the same, for names are read when they run.
    return {file: "".join([*bodies[file], *heads[file]]) for file in [*FILES, "pipeline.py"]}


def used(name: str, file: str, names: dict[str, str], heads: dict[str, list[str]], chance: random.Random) -> str:
    """How a file names something, after it has imported that in one way or another."""
    if name not in names or names[name] == file:
        return name
    module = names[name].removesuffix(".py").replace("/", ".")
    package, _, last = module.rpartition(".")
    alias = f"alias_{len(heads[file])}_{name}"
    ways = [
        (f"from {module} import {name}\n", name),
        (f"from {module} import {name} as {alias}\n", alias),
        (f"import {module} as {alias}\n", f"{alias}.{name}"),
        (
            f"from {package} import {last} as {alias}\n" if package else f"import {module}\n",
            f"{alias if package else module}.{name}",
        ),
    ]
    line, spelt = chance.choice(ways)
    heads[file].append(line)
    return spelt


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.traces) for seed in range(1, 4))])
def test_what_does_the_same_has_one_id(project: Project, seed: int) -> None:
    chance = random.Random(seed)
    results: dict[str, set[Any]] = defaultdict(set)
    plans: dict[str, set[Plan]] = defaultdict(set)
    for _ in range(25):
        of = plan(chance)
        ids = set()
        for _ in range(3):
            project.write({"tools/__init__.py": "", **written(of, chance)})
            module = project.load()
            followed = project.fingerprint()
            ids.add(followed.id)
            results[followed.id].add(module.train())
            plans[followed.id].add(of)
        assert len(ids) == 1, of
    assert all(len(found) == 1 for found in results.values())
    assert len(plans) > 20


def test_an_edit_of_a_plan_counts_if_it_is_reached(project: Project) -> None:
    chance = random.Random(7)
    for _ in range(25):
        of = plan(chance)
        functions, constants = of
        at = chance.randrange(len(functions))
        edited = list(functions)
        edited[at] = Function((functions[at].body + 1) % len(BODIES), functions[at].calls, functions[at].constant)
        ids = []
        for each in (of, (tuple(edited), constants)):
            project.write({"tools/__init__.py": "", **written(each, chance)})
            ids.append(project.fingerprint().id)
        assert (ids[0] != ids[1]) is (at in reached(functions))


def reached(functions: tuple[Function, ...]) -> set[int]:
    found, todo = set[int](), [0, 1]
    while todo:
        at = todo.pop()
        if at < len(functions) and at not in found:
            found.add(at)
            todo.append(functions[at].calls)
    return found
