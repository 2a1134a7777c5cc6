"""The endpoints of an OpenAPI document that answer lists, with what is said of their rows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipelines_project.components.scaffold.openapi import Node, OpenApi, is_a

# What APIs call the list in an answer.
_LISTS = (
    "data", "items", "results", "records", "values", "value", "rows", "entries", "list", "content",
    "elements", "resources", "hits", "objects",
)  # fmt: skip
_STATUSES = ("200", 200, "2XX", "default")


@dataclass(frozen=True)
class Parameter:
    """A parameter of a request."""

    name: str
    place: str
    required: bool
    schema: Node
    description: str


@dataclass(frozen=True)
class ListEndpoint:
    """A GET endpoint that answers a list.

    Attributes:
        path: with `{…}` for parameters.
        description: what the document says of it.
        parameters: of the request.
        selector: the JSON path of the list.
        fields: the schemas of a row's properties.
        beside: the schemas of the texts beside the list, by their paths in the answer.
        headers: the names of the answer's headers, in small letters.
    """

    path: str
    description: str
    parameters: Sequence[Parameter]
    selector: str
    fields: Mapping[str, Node]
    beside: Mapping[tuple[str, ...], Node]
    headers: frozenset[str]


def list_endpoints(api: OpenApi) -> Iterator[tuple[str, ListEndpoint | None, str]]:
    """Yield each GET endpoint's path, what it lists, or why it has no table."""
    for path, node in api.resolved(api.document.get("paths")).items():
        shared = api.resolved(node)
        operation = api.resolved(shared.get("get"))
        if not operation:
            continue
        if operation.get("deprecated"):
            yield path, None, "it is deprecated"
        elif endpoint := _endpoint(api, path, shared, operation):
            yield path, endpoint, ""
        else:
            yield path, None, "its answer is not described as a list"


def _endpoint(api: OpenApi, path: str, shared: Node, operation: Node) -> ListEndpoint | None:
    answers = operation.get("responses") or {}
    answer = next((api.resolved(answers[each]) for each in _STATUSES if each in answers), {})
    bodies = answer.get("content") or {}
    kind = next((each for each in bodies if "json" in each), None)
    schema = api.schema(api.resolved(bodies[kind]).get("schema")) if kind else {}
    found = _list(api, path, schema)
    if found is None:
        return None
    nodes = [*(shared.get("parameters") or []), *(operation.get("parameters") or [])]
    parameters = [_parameter(api, node) for node in nodes]
    said = operation.get("summary") or operation.get("description") or ""
    return ListEndpoint(
        path,
        str(said).split("\n")[0],
        [*{(each.name, each.place): each for each in parameters}.values()],
        found[0],
        _properties(api, found[1]),
        dict(_texts(api, schema)),
        frozenset(name.lower() for name in api.resolved(answer.get("headers"))),
    )


def _parameter(api: OpenApi, node: object) -> Parameter:
    found = api.resolved(node)
    return Parameter(
        str(found.get("name", "")),
        str(found.get("in", "")),
        bool(found.get("required")),
        api.schema(found.get("schema")),
        str(found.get("description") or ""),
    )


def _list(api: OpenApi, path: str, schema: Node, is_inner: bool = False) -> tuple[str, Node] | None:
    """Return the JSON path of the list in an answer and the schema of its rows."""
    if is_a(schema, "array"):
        return "$", api.schema(schema.get("items"))
    if path.endswith("}"):
        return None
    inner = _properties(api, schema)
    rows = {
        name: api.schema(each.get("items")) for name, each in inner.items() if is_a(each, "array")
    }
    for name in (path.rstrip("/").rpartition("/")[2], *_LISTS):
        if name in rows:
            return json_path(name), rows[name]
    objects = [name for name, each in rows.items() if each.get("properties")]
    if len(objects) == 1:
        return json_path(objects[0]), rows[objects[0]]
    if is_inner or objects:
        return None
    for name in (each for each in _LISTS if inner.get(each, {}).get("properties")):
        if found := _list(api, path, inner[name], is_inner=True):
            return f"{json_path(name)}.{found[0]}", found[1]
    return None


def _properties(api: OpenApi, schema: Node) -> dict[str, Node]:
    return {name: api.schema(each) for name, each in (schema.get("properties") or {}).items()}


def _texts(
    api: OpenApi, schema: Node, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], Node]]:
    for name, each in _properties(api, schema).items():
        if is_a(each, "string"):
            yield (*path, name), each
        elif len(path) < 2:
            yield from _texts(api, each, (*path, name))


def json_path(*names: str) -> str:
    """Return the JSON path of a property."""
    return ".".join(name if name.isidentifier() else f"'{name}'" for name in names)
