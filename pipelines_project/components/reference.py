"""The page `docs/reference/components.md`, made from the JSON schema of the component types."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

_HEAD = """# Components

What a `defs.yaml` can say, written from the code by `make reference`. A document has a `type` and
its `attributes`; where an attribute is a part, its table is further down. A value that is wrong is
named with its line when definitions load.
"""
_TABLE = "| attribute | value | default | what it says |\n|---|---|---|---|"
_WORDS = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "`true` or `false`",
    "object": "names and values",
    "null": "null",
}

# What Dagster writes where a default is made by a function, such as an empty list.
_UNSET = "__DAGSTER_UNSET_DEFAULT__"

Schema = Mapping[str, Any]


def reference(schema: Schema) -> str:
    """Return the page of all component types, and then of the parts that they have."""
    definitions: dict[str, Schema] = schema["$defs"]
    types = [_name(each) for each in schema["oneOf"]]
    models = {name: _name(definitions[name]["properties"]["attributes"]) for name in types}
    parts = sorted({*definitions} - {*types} - {*models.values()})
    return "\n".join(
        [
            _HEAD,
            *(
                line
                for name in sorted(types)
                for line in _section(name, definitions[name], definitions[models[name]])
            ),
            *(line for name in parts for line in _section(name, *[definitions[name]] * 2)),
        ]
    )


def _section(name: str, told: Schema, model: Schema) -> Iterator[str]:
    """Yield the lines of a heading, what the type is, and the table of its attributes."""
    yield f"## {name}\n"
    if description := told.get("description"):
        yield f"{_flat(description)}\n"
    yield _TABLE
    required = model.get("required", [])
    for attribute, value in model.get("properties", {}).items():
        default = "required" if attribute in required else _default(value)
        said = _flat(value.get("description", ""))
        yield f"| `{attribute}` | {_kind(value)} | {default} | {said} |"
    yield ""


def _kind(value: Schema) -> str:
    """Return in words what a value can be."""
    if "$ref" in value:
        return f"[{_name(value)}](#{_name(value).lower()})"
    if choices := value.get("enum") or ([value["const"]] if "const" in value else []):
        return " or ".join(f"`{choice}`" for choice in choices)
    if "anyOf" in value or "oneOf" in value:
        kinds = [_kind(each) for each in value.get("anyOf") or value["oneOf"]]
        # Any value may be a template, `{{ env.NAME }}`, which is a text.
        stated = [each for each in dict.fromkeys(kinds) if each not in ("null", "text")]
        return " or ".join(stated or ["text"])
    if value.get("type") == "array":
        return f"list of {_kind(value.get('items', {}))}"
    if isinstance(value.get("additionalProperties"), Mapping):
        return f"names, each with {_kind(value['additionalProperties'])}"
    return _WORDS.get(value.get("type", ""), "any")


def _default(value: Schema) -> str:
    default = value.get("default")
    return "" if default in (None, "", [], {}, _UNSET) else f"`{json.dumps(default)}`"


def _name(value: Schema) -> str:
    return value["$ref"].rpartition("/")[2]


def _flat(text: str) -> str:
    """Return the first paragraph as one line, which Markdown takes as it stands."""
    return " ".join(text.split("\n\n")[0].split()).replace("|", "\\|").replace("<", "&lt;")
