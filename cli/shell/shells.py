"""What a shell asks while somebody types, and how it is answered: the side of `completion` that knows shells.

Click's own scripts are not enough: bash hands over words that are cut at `=`, `:` and `@`, replaces only what stands
behind the last of these, and puts a blank behind whatever it completes, though a value belongs behind `NAME=`.

Each script sends the line up to the cursor, and gets a line `KIND,WORD` for each word that fits:

    plain    a whole word
    part     a word that goes on: no blank belongs behind it
    path     a file, or a folder, which ends in a slash and goes on too
    file     the shell's own way to complete any file; WORD is what was typed
    dir      the same, for folders
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import click
from click.shell_completion import (
    BashComplete,
    CompletionItem,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
    split_arg_string,
)

from artvcs.vcs import ArtError

_BASH = """\
%(complete_func)s() {
    local line
    COMPREPLY=()
    while IFS= read -r line; do
        case ${line%%%%,*} in
            dir) compopt -o dirnames ;;
            file) compopt -o default ;;
            path) compopt -o filenames; COMPREPLY+=("${line#*,}") ;;
            part) compopt -o nospace; COMPREPLY+=("${line#*,}") ;;
            plain) COMPREPLY+=("${line#*,}") ;;
        esac
    done < <(COMP_WORDS="${COMP_LINE:0:COMP_POINT}" COMP_REPLACED="$2" %(complete_var)s=bash_complete "$1" 2>/dev/null)
}

complete -o nosort -F %(complete_func)s %(prog_name)s
"""

_ZSH = """\
#compdef %(prog_name)s

%(complete_func)s() {
    local line kind word
    local -a plain part described
    (( ! $+commands[%(prog_name)s] )) && return 1

    for line in "${(@f)$(COMP_WORDS="${words[1,CURRENT]}" %(complete_var)s=zsh_complete %(prog_name)s 2>/dev/null)}"; do
        kind="${line%%%%,*}" word="${line#*,}"
        case $kind in
            described) described+=("$word") ;;
            plain) plain+=("$word") ;;
            part) part+=("$word") ;;
            dir|file)
                [[ $PREFIX == -*=* ]] && compset -P 1 '*='
                [[ $kind == dir ]] && _path_files -/ || _path_files -f
                ;;
        esac
    done

    (( $#described )) && _describe -V unsorted described -U
    (( $#plain )) && compadd -U -V unsorted -a plain
    (( $#part )) && compadd -U -S '' -V unsorted -a part
    return 0
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    %(complete_func)s "$@"
else
    compdef %(complete_func)s %(prog_name)s
fi
"""

_FISH = """\
function %(complete_func)s
    set -l line (commandline -cp)
    for found in (env %(complete_var)s=fish_complete COMP_WORDS="$line" %(prog_name)s 2>/dev/null)
        set -l parts (string split -m1 "," -- $found)
        switch $parts[1]
            case dir
                __fish_complete_directories $parts[2]
            case file
                __fish_complete_path $parts[2]
            case '*'
                echo $parts[2]
        end
    end
end

complete --no-files --command %(prog_name)s --arguments "(%(complete_func)s)"
"""

_DOWNWARDS = "--sort"
"""The option whose value may begin with a dash, in which click would see another option."""

_CURSOR = "x"
"""Stands at the cursor while the line is split, so that it is seen whether a word ends there."""


class _Shell(ShellComplete):
    """What all shells have in common."""

    def get_completion_args(self) -> tuple[list[str], str]:
        """The words before the one that is typed, and that."""
        *words, typed = split_arg_string(os.environ["COMP_WORDS"] + _CURSOR)
        return words[1:], typed.removesuffix(_CURSOR)

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem[str]]:
        """What fits; nothing where something is wrong, for somebody is typing."""
        before, dash, value = _dash(args, incomplete)
        try:
            found = super().get_completions(args, f"{before}{value}")
        except (ArtError, click.ClickException, OSError):
            return []
        if dash:
            found = [_replaced(each, f"-{each.value}") for each in found]
        option, equals, _ = incomplete.partition("=")
        if not (equals and option.startswith("-")):
            return found
        # Click looks at what stands behind `--option=`; shells take whole words.
        return [_replaced(each, f"{option}={each.value}") if _is_word(each) else each for each in found]


class Bash(_Shell, BashComplete):
    """Bash, 4.4 or newer."""

    source_template = _BASH

    def format_completion(self, item: CompletionItem[Any]) -> str:
        """The part of a word that bash replaces; it puts the slash behind a folder itself."""
        _, typed = self.get_completion_args()
        # What is in quotes here comes without, other than in the line.
        replaced = split_arg_string(os.environ.get("COMP_REPLACED", "") + _CURSOR)[-1].removesuffix(_CURSOR)
        kept = typed.removesuffix(replaced)
        word = item.value.removeprefix(kept) if _is_word(item) else item.value
        return f"{item.type},{word.removesuffix('/') if item.type == 'path' else word}"


class Zsh(_Shell, ZshComplete):
    """Zsh."""

    source_template = _ZSH

    def format_completion(self, item: CompletionItem[Any]) -> str:
        """A whole word, with what it is for where that is known."""
        if item.help:
            escaped = item.value.replace(":", r"\:")
            return f"described,{escaped}:{item.help}"
        kinds: Mapping[str, str] = {"path": "part" if item.value.endswith("/") else "plain"}
        return f"{kinds.get(item.type, item.type)},{item.value}"


class Fish(_Shell, FishComplete):
    """Fish, which puts no blank behind what ends in `=` or `/` by itself."""

    source_template = _FISH


def known() -> None:
    """Has click answer shells so."""
    for shell in (Bash, Zsh, Fish):
        add_completion_class(shell)


def _dash(args: list[str], incomplete: str) -> tuple[str, str, str]:
    """A word that is half typed, cut before and behind the dash that its value may begin with."""
    option, equals, value = incomplete.partition("=") if incomplete.startswith("--") else ("", "", incomplete)
    if value.startswith("-") and _DOWNWARDS in (option, *args[-1:] * (not equals)):
        return f"{option}{equals}", "-", value[1:]
    return "", "", incomplete


def _is_word(item: CompletionItem[Any]) -> bool:
    return item.type not in ("file", "dir")


def _replaced(item: CompletionItem[Any], value: str) -> CompletionItem[Any]:
    return CompletionItem(value, item.type, item.help)
