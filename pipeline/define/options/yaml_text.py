"""Reading YAML as people mean it: plain data only, `1e-3` is a number, and a key that stands twice is an error."""

from __future__ import annotations

import re
from typing import Any

import yaml

_MOST = 1_000_000
"""So many values a file may say, those counted again that an alias repeats."""


class Loader(yaml.SafeLoader):
    """A safe loader with the numbers of YAML 1.2 (https://yaml.org/spec/1.2.2/#1032-tag-resolution)."""

    def get_single_node(self) -> yaml.Node | None:
        """See `yaml.SafeLoader`; raises ComposerError for aliases that repeat too much, or what they stand in."""
        node: yaml.Node | None = super().get_single_node()
        if node is not None:
            _count(node, {})
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """See `yaml.SafeLoader`; raises ConstructorError for a key that stands twice."""
        seen = set()
        for key, _ in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else None
            if name in seen and name != "<<":
                raise yaml.constructor.ConstructorError(None, None, f"{name!r} stands here twice", key.start_mark)
            seen.add(name)
        return super().construct_mapping(node, deep=deep)


def _count(node: yaml.Node, known: dict[int, int | None]) -> int:
    """How many values there are once each alias is what it stands for; a few lines can say more than memory holds."""
    if id(node) in known:
        found = known[id(node)]
        if found is None:
            raise yaml.composer.ComposerError(None, None, "an alias stands for what it is in", node.start_mark)
        return found
    known[id(node)] = None
    below = [each for pair in node.value for each in pair] if isinstance(node, yaml.MappingNode) else node.value
    total = 1 if isinstance(node, yaml.ScalarNode) else 1 + sum(_count(each, known) for each in below)
    if total > _MOST:
        raise yaml.composer.ComposerError(None, None, f"aliases repeat more than {_MOST} values", node.start_mark)
    known[id(node)] = total
    return total


Loader.yaml_implicit_resolvers = {first: list(known) for first, known in Loader.yaml_implicit_resolvers.items()}
_EXPONENT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)[eE][-+]?[0-9]+")
Loader.add_implicit_resolver("tag:yaml.org,2002:float", _EXPONENT, list("-+.0123456789"))
