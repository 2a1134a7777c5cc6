"""An OpenAPI 3 document: its parts, with what they refer to in their place."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

Node = Mapping[str, Any]

_MOST_REFERENCES = 20
_DEEPEST = 6
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class OpenApi:
    """A document."""

    def __init__(self, file: Path) -> None:
        """Read a file.

        Raises:
            ValueError: it is no OpenAPI 3 document; the text names it.
            OSError: it cannot be read.
        """
        text = file.read_text(encoding="utf-8-sig")
        try:
            document: Any = json.loads(text) if text.startswith("{") else yaml.load(text, _LOADER)
        except (ValueError, yaml.YAMLError) as error:
            # What the parser says quotes the file.
            raise ValueError(f"{file} is neither JSON nor YAML") from error
        if not isinstance(document, dict) or not str(document.get("openapi", "")).startswith("3."):
            raise ValueError(
                f"{file} is no OpenAPI 3 document: its first attribute is openapi: 3.…"
            )
        self.document: Node = document

    def resolved(self, node: Any) -> Node:
        """Return what a node is, or refers to; empty if that is not in the document."""
        for _ in range(_MOST_REFERENCES):
            if not isinstance(node, Mapping) or "$ref" not in node:
                break
            node = self._at(str(node["$ref"]))
        return node if isinstance(node, Mapping) and "$ref" not in node else {}

    def _at(self, reference: str) -> Any:
        if not reference.startswith("#/"):
            return {}
        found: Any = self.document
        for part in reference[2:].split("/"):
            name = part.replace("~1", "/").replace("~0", "~")
            found = found.get(name, {}) if isinstance(found, Mapping) else {}
        return found

    def schema(self, node: Any, depth: int = 0) -> Node:
        """Return a schema with those that it is put together from in it."""
        found = self.resolved(node)
        alternatives = found.get("oneOf") or found.get("anyOf") or []
        others = (
            found.get("allOf")
            or [each for each in alternatives if self.resolved(each).get("type") != "null"][:1]
        )
        if not others or depth > _DEEPEST:
            return found
        parts = [self.schema(each, depth + 1) for each in others]
        merged: dict[str, Any] = {}
        for part in [*parts, found]:
            properties = {**merged.get("properties", {}), **(part.get("properties") or {})}
            merged |= {**part, "properties": properties}
        return merged


def is_a(schema: Node, kind: str) -> bool:
    """Tell whether a schema is of a type, which OpenAPI 3.1 may give in a list."""
    given = schema.get("type")
    return given == kind or (isinstance(given, list) and kind in given)
