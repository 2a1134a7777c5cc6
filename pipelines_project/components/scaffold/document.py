"""The `defs.yaml` that a scaffolder proposes: its tables, comments on choices, and its text."""

import ast
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import indent
from typing import Any

import yaml

_MOST_COLUMNS = 92
_MARTS = """
# Marts: take the signs of comment away, and put SQL models into the folder marts beside this file.
# ---
# type: pipelines_project.components.SqlModels
#
# attributes:
#   source: {source}
"""
_QUOTED = frozenset("{}%*'")
# Where `make schema` writes what editors check documents by.
_SCHEMA = Path(".schema") / "defs.json"


@dataclass(frozen=True)
class ProposedTable:
    """An entry of a document's `tables`.

    Attributes:
        settings: of the table.
        comments: what is to be chosen, a line each.
    """

    settings: Mapping[str, Any]
    comments: Sequence[str] = ()


@dataclass(frozen=True)
class Document:
    """A document and what is said in it.

    Attributes:
        heading: what it was made from, and what is to be done with it, a line each.
        attributes: those of the source, without `tables`.
        tables: the tables.
        comments: on attributes, a line each, by attribute.
        left_out: what has no table, and why, a line each.
    """

    heading: Sequence[str]
    attributes: Mapping[str, Any]
    tables: Sequence[ProposedTable]
    comments: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    left_out: Sequence[str] = ()

    def text(self, type_name: str, schema: str | None = None) -> str:
        """Return the text of the file.

        Args:
            type_name: of the component.
            schema: the path of the JSON schema from the file's folder, if an editor shall use it.
        """
        lines = [f"# yaml-language-server: $schema={schema}"] if schema else []
        lines += _comments(self.heading)
        lines += [f"type: {type_name}", "", "attributes:"]
        for name, value in self.attributes.items():
            lines += _comments(self.comments.get(name, ()), "  ")
            lines.append(indent(_dumped({name: value}, flow=False), "  "))
        lines.append("  tables:")
        for table in self.tables:
            lines += _comments(table.comments, "    ")
            lines.append(indent(_entry(table.settings), "    "))
        lines += _comments(self.left_out, "  ")
        return "\n".join(lines) + "\n" + _MARTS.format(source=self.attributes["source"])


def schema_path(folder: Path, project_root: Path | None) -> str | None:
    """Return the path of the project's JSON schema from the folder of a document."""
    if project_root is None:
        return None
    return Path(os.path.relpath(project_root / _SCHEMA, folder)).as_posix()


def literal(value: Any) -> Any:
    """Return a value whose texts Dagster's templates leave as they are.

    Dagster renders every text of a document. It takes what stands in braces for an expression, and
    a text such as 2024 or None for a value of Python, whose quotes it takes away.
    """
    if isinstance(value, Mapping):
        return {name: literal(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [literal(inner) for inner in value]
    return _literal_text(value) if isinstance(value, str) else value


def _literal_text(text: str) -> str:
    with suppress(ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        ast.literal_eval(text)
        text = repr(text)
    if any(mark in text for mark in ("{{", "{%", "{#")):
        return f"{{% raw %}}{text}{{% endraw %}}"
    return text


class _Dumper(yaml.SafeDumper):
    """Writes texts that begin with a digit or a brace in quotes, as one writes them by hand."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    is_quoted = text[:1].isdigit() or any(mark in text for mark in _QUOTED)
    style = '"' if is_quoted else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style)


_Dumper.add_representer(str, _text)


def _entry(settings: Mapping[str, Any]) -> str:
    flow = _dumped(settings, flow=True)
    return f"- {flow}" if len(flow) <= _MOST_COLUMNS else _dumped([settings])


def _dumped(value: Any, flow: bool | None = None) -> str:
    text = yaml.dump(
        value,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=10**6,
        default_flow_style=flow,
    )
    return text.rstrip("\n")


def _comments(lines: Iterable[str], margin: str = "") -> list[str]:
    """Return the lines as comments, which nothing in them can end."""
    return [f"{margin}# {one_line(line)}" for line in lines]


def one_line(text: str) -> str:
    """Return a text without line breaks and what cannot be printed."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
