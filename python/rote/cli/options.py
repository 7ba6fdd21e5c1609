"""Options out of dataclasses, by tyro: lists with commas or spaces, short error texts, exit status 2."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar, get_args, get_origin

import tyro

Options = TypeVar("Options")


def parse(
    kind: Callable[..., Options], arguments: Sequence[str], *, prog: str, description: str, **more: Any
) -> Options:
    """Parses the words after a command into a dataclass.

    Args:
        kind: the dataclass; its fields are the options, their docstrings the help.
        arguments: the words.
        prog: what the user typed before them, for the help text.
        description: first paragraph of the help text.
        **more: further arguments of `tyro.cli`, e.g. `default`.

    Raises:
        SystemExit: with status 0 after `--help`, 2 after a mistake.
    """
    with _REGISTRY:
        return tyro.cli(
            kind,
            args=list(arguments),
            prog=prog,
            description=description,
            config=(tyro.conf.FlagCreatePairsOff, tyro.conf.OmitArgPrefixes),
            **more,
        )


_REGISTRY = tyro.constructors.ConstructorRegistry()
_ITEMS = {int: "INT", float: "FLOAT", str: "NAME"}


@_REGISTRY.primitive_rule
def _lists(info: tyro.constructors.PrimitiveTypeInfo) -> tyro.constructors.PrimitiveConstructorSpec | None:
    """`tuple[int, ...]` as `1,2,5` or `1 2 5`."""
    arguments = get_args(info.type)
    if get_origin(info.type) is not tuple or len(arguments) != 2 or arguments[1] is not Ellipsis:
        return None
    item, choices = arguments[0], get_args(arguments[0]) if arguments[0] not in _ITEMS else ()
    convert = str if choices else item
    name = "{" + ",".join(choices) + "}" if choices else _ITEMS[item]

    def from_words(words: list[str]) -> tuple[Any, ...]:
        values = []
        for word in ",".join(words).split(","):
            if not word.strip():
                continue
            try:
                value = convert(word.strip())
            except ValueError:
                raise ValueError(f"{word!r} is not of type {name}") from None
            if choices and value not in choices:
                raise ValueError(f"{word!r} is none of {name}")
            values.append(value)
        return tuple(values)

    return tyro.constructors.PrimitiveConstructorSpec(
        nargs="*",
        metavar=f"{name}[,{name}...]",
        instance_from_str=from_words,
        is_instance=lambda value: isinstance(value, tuple),
        str_from_instance=lambda value: [",".join(str(entry) for entry in value)] if value else [],
    )
