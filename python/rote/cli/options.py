"""Options out of dataclasses, by tyro: lists with commas or spaces, short error texts, exit status 2."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeVar, get_args, get_origin

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
        SystemExit: with status 0 after `--help`, 2 after an unknown option or a word of the wrong type.
        ValueError: from the checks of the dataclass.
    """
    checked = dataclasses.is_dataclass(kind) and hasattr(kind, "__post_init__")
    if checked and "default" in more:
        more["default"] = _plain_copy(more["default"], _without_checks(kind))
    with _REGISTRY:
        options = tyro.cli(
            _without_checks(kind) if checked else kind,
            args=list(arguments),
            prog=prog,
            description=description,
            config=(tyro.conf.FlagCreatePairsOff, tyro.conf.OmitArgPrefixes),
            **more,
        )
    return _plain_copy(options, kind) if checked else options


@functools.cache
def _without_checks(kind: type) -> type:
    """The dataclass without its own checks, whose errors tyro would draw a box around and keep to itself."""
    members = {"__post_init__": lambda self: None, "__module__": kind.__module__, "__doc__": kind.__doc__}
    return type(kind.__name__, (kind,), members)


def _plain_copy(options: Any, kind: Callable[..., Options]) -> Options:
    return kind(**{field.name: getattr(options, field.name) for field in dataclasses.fields(options)})


_REGISTRY = tyro.constructors.ConstructorRegistry()
_ITEMS = {int: "INT", float: "FLOAT", str: "NAME"}


@_REGISTRY.primitive_rule
def _lists(info: tyro.constructors.PrimitiveTypeInfo) -> tyro.constructors.PrimitiveConstructorSpec | None:
    """`tuple[int, ...]` as `1,2,5` or `1 2 5`."""
    arguments = get_args(info.type)
    if get_origin(info.type) is not tuple or len(arguments) != 2 or arguments[1] is not Ellipsis:
        return None
    item, choices = arguments[0], get_args(arguments[0])
    if item not in _ITEMS and get_origin(item) is not Literal:
        return None
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
