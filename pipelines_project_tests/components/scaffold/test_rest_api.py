"""The document that is proposed for an OpenAPI file: lists, months, pages, keys, and no secret."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from pipelines_project.components.scaffold.rest_api import RestApiScaffolder
from pipelines_project_tests.components.scaffold.scaffolding import (
    comment_above,
    scaffolded,
    tables_of,
)
from pipelines_project_tests.document_location import document_location, loaded
from pipelines_project_tests.weather_api import weather_api

ROW = {"type": "object", "properties": {"id": {"type": "integer"}, "name": {"type": "string"}}}
ROWS = {"type": "array", "items": ROW}


def query(name: str, required: bool = False, about: str = "", **schema: Any) -> dict[str, Any]:
    return {
        "name": name,
        "in": "query",
        "required": required,
        "description": about,
        "schema": schema,
    }


def get(schema: Any, *parameters: Any, headers: Any = None, **more: Any) -> dict[str, Any]:
    answer = {"content": {"application/json": {"schema": schema}}, "headers": headers or {}}
    return {"get": {"parameters": [*parameters], "responses": {"200": answer}, **more}}


def in_object(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def openapi(paths: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    servers = [{"url": "https://api.shop.test/v1"}]
    return {"openapi": "3.0.3", "servers": servers, "paths": paths, **more}


def shop_document(tmp_path: Path, document: Any, **params: Any) -> str:
    file = tmp_path / "openapi.yaml"
    file.write_text(document if isinstance(document, str) else yaml.safe_dump(document))
    given = {"openapi": str(file), "start_month": "2024-01", **params}
    return scaffolded(RestApiScaffolder, "RestApi", tmp_path / "shop", **given)


def endpoint_of(tmp_path: Path, operation: Any) -> tuple[dict[str, Any], str]:
    """Return the endpoint that is proposed for an operation, and the comments above it."""
    document = shop_document(tmp_path, openapi({"/orders": operation}))
    with loaded(document):
        return tables_of(document)["orders"]["endpoint"], comment_above(document, "orders")


@pytest.mark.stack
@pytest.mark.parametrize(
    ("schema", "selector"),
    [
        (ROWS, "$"),
        (in_object(data=ROWS), "data"),
        (in_object(orders=ROWS, data=ROWS), "orders"),
        (in_object(things=ROWS, tags={"type": "array", "items": {"type": "string"}}), "things"),
        (in_object(data=in_object(items=ROWS)), "data.items"),
        ({"allOf": [in_object(total={"type": "integer"}), in_object(items=ROWS)]}, "items"),
        ({"anyOf": [{"type": "null"}, in_object(**{"order-list": ROWS})]}, """\"'order-list'\""""),
        ({"type": ["array", "null"], "items": ROW}, "$"),
    ],
)
def test_rows_are_where_the_answer_has_a_list(tmp_path: Path, schema: Any, selector: str) -> None:
    endpoint, _ = endpoint_of(tmp_path, get(schema))
    assert endpoint["data_selector"] == selector


@pytest.mark.parametrize(
    ("parameters", "params"),
    [
        (
            [query("from", format="date"), query("to", format="date")],
            {"from": "{month.start}", "to": "{month.end}"},
        ),
        (
            [query("createdAfter", format="date-time"), query("createdBefore", format="date-time")],
            {
                "createdAfter": "{month.start:%Y-%m-%dT%H:%M:%SZ}",
                "createdBefore": "{month.end:%Y-%m-%dT%H:%M:%SZ}",
            },
        ),
        (
            [
                query("created[gte]", type="integer", about="Unix timestamp"),
                query("created[lt]", type="integer", about="Unix timestamp"),
            ],
            {"created[gte]": "{month.start:%s}", "created[lt]": "{month.end:%s}"},
        ),
        (
            [
                query("updated_from", type="string"),
                query("updated_to", type="string"),
                query("created_from", type="string"),
                query("created_to", type="string"),
            ],
            {"created_from": "{month.start}", "created_to": "{month.end}"},
        ),
        ([query("min_price", type="integer"), query("max_price", type="integer")], None),
        ([query("updated_since", format="date")], None),
    ],
)
def test_a_pair_of_dates_is_the_month(
    tmp_path: Path, parameters: list[Any], params: dict[str, str] | None
) -> None:
    endpoint, comments = endpoint_of(tmp_path, get(ROWS, *parameters))
    assert endpoint.get("params") == params
    assert ("A snapshot" in comments) == (params is None)


@pytest.mark.stack
@pytest.mark.parametrize(
    ("operation", "paginator", "params"),
    [
        (
            get(ROWS, query("page", type="integer"), query("per_page", maximum=200)),
            {"type": "page_number", "base_page": 1},
            {"per_page": 200},
        ),
        (
            get(ROWS, query("pageNumber", type="integer", minimum=0)),
            {"type": "page_number", "base_page": 0, "page_param": "pageNumber"},
            None,
        ),
        (
            get(ROWS, query("skip", type="integer"), query("limit", default=50)),
            {"type": "offset", "limit": 50, "offset_param": "skip"},
            None,
        ),
        (
            get(
                in_object(data=ROWS, meta=in_object(next_cursor={"type": "string"})),
                query("cursor", type="string"),
            ),
            {"type": "cursor", "cursor_path": "meta.next_cursor", "cursor_param": "cursor"},
            None,
        ),
        (
            get(in_object(items=ROWS, _links=in_object(next=in_object(href={"type": "string"})))),
            {"type": "json_link", "next_url_path": "_links.next.href"},
            None,
        ),
        (get(ROWS, headers={"Link": {}}), {"type": "header_link"}, None),
        (get(ROWS), None, None),
    ],
)
def test_pages_follow_each_other_as_the_parameters_and_the_answer_say(
    tmp_path: Path, operation: Any, paginator: dict[str, Any] | None, params: Any
) -> None:
    endpoint, comments = endpoint_of(tmp_path, operation)
    assert endpoint.get("paginator") == paginator
    assert endpoint.get("params") == params
    assert ("name the paginator" in comments) == (paginator is None)


@pytest.mark.parametrize(
    ("scheme", "auth"),
    [
        ({"type": "http", "scheme": "Bearer"}, {"type": "bearer", "token_env": "SHOP_TOKEN"}),
        (
            {"type": "http", "scheme": "basic"},
            {
                "type": "http_basic",
                "username_env": "SHOP_USERNAME",
                "password_env": "SHOP_PASSWORD",
            },
        ),
        (
            {"type": "apiKey", "in": "query", "name": "key"},
            {
                "type": "api_key",
                "name": "key",
                "location": "query",
                "api_key_env": "SHOP_API_KEY",
            },
        ),
        (
            {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "/token"}}},
            {
                "type": "oauth2_client_credentials",
                "access_token_url": "https://api.shop.test/token",
                "client_id_env": "SHOP_CLIENT_ID",
                "client_secret_env": "SHOP_CLIENT_SECRET",
            },
        ),
        ({"type": "apiKey", "in": "cookie", "name": "session"}, None),
    ],
)
def test_a_security_scheme_names_environment_variables(
    tmp_path: Path, scheme: Any, auth: Any
) -> None:
    document = shop_document(
        tmp_path,
        openapi(
            {"/orders": get(ROWS, query("key", required=auth is not None and "name" in auth))},
            components={"securitySchemes": {"own": scheme}},
            security=[{"own": []}],
        ),
    )
    with loaded(document):
        client = yaml.safe_load(document)["attributes"]["client"]
    assert client == {
        "base_url": "https://api.shop.test/v1/",
        **({"auth": auth} if auth else {}),
    }


def test_a_list_is_asked_for_by_the_rows_of_another(tmp_path: Path) -> None:
    paths = {
        "/orders/{orderId}/lines": get({"$ref": "#/components/schemas/Lines"}),
        "/orders/{orderId}": get(ROW),
        "/orders": get(ROWS, query("from", format="date"), query("to", format="date")),
        "/shops/{shop}/orders": get(ROWS),
        "/old": get(ROWS, deprecated=True),
        "/reports": get(ROWS, query("region", required=True)),
    }
    document = shop_document(
        tmp_path, openapi(paths, components={"schemas": {"Lines": in_object(data=ROWS)}})
    )

    tables = tables_of(document)

    assert [*tables] == ["orders", "lines"]
    assert tables["lines"]["endpoint"]["path"] == "orders/{resources.orders.id}/lines"
    assert tables["lines"]["key"] == ["id"]
    assert "by each row of orders" in comment_above(document, "lines")
    assert "GET /shops/{shop}/orders, for no list of this document" in document
    assert "GET /orders/{orderId}, for its answer is not described as a list" in document
    assert "GET /old, for it is deprecated" in document
    assert "GET /reports, for a request needs region" in document
    with loaded(document):
        pass


def test_a_field_of_the_parent_is_found_by_the_words_of_the_parameter(tmp_path: Path) -> None:
    sheets = {"type": "array", "items": in_object(_id={"type": "string"})}
    paths = {"/": get(ROWS), "/sheets": get(sheets), "/sheets/{sheetId}/rows": get(ROWS)}

    document = shop_document(tmp_path, openapi(paths))

    with loaded(document):
        asked = [table["endpoint"]["path"] for table in tables_of(document).values()]
    assert asked == ["/", "sheets", "sheets/{resources.sheets._id}/rows"]


@pytest.mark.stack
def test_the_document_loads_unchanged_and_lands_a_month(tmp_path: Path) -> None:
    reading = in_object(id={"type": "integer"}, day={"type": "string"})
    operation = get(
        in_object(data={"type": "array", "items": reading}),
        query("from", format="date"),
        query("to", format="date"),
        query("page", type="integer", minimum=1),
        summary="Readings {{ of }} a day",
    )
    with weather_api() as weather:
        document = shop_document(
            tmp_path, openapi({"/v1/readings": operation}), base_url=weather.url
        )
        with document_location(tmp_path, document) as location:
            assert location.materialize(
                "2024-02", "landing/shop/readings", "warehouse/shop/readings"
            ).result.success
            assert location.rows("select count(*), min(day)::text from shop.readings") == [
                (29, "2024-02-01")
            ]


@pytest.mark.parametrize(
    ("document", "params", "said"),
    [
        ("a: [", {}, "neither JSON nor YAML"),
        ({"swagger": "2.0"}, {}, "no OpenAPI 3 document"),
        (openapi({"/orders": get(ROW)}), {}, "no GET endpoint that answers a list"),
        (openapi({"/orders": get(ROWS)}, servers=[]), {}, "--base-url is needed"),
        (
            openapi({"/orders": get(ROWS)}),
            {"base_url": "https://reader:s3cret@host"},
            "give --base-url",
        ),
        (openapi({}), {"openapi": "none.yaml"}, "none.yaml"),
        (
            openapi({"/orders": get(ROWS, query("from", format="date"), query("to"))}),
            {"openapi": None},
            "--openapi is needed",
        ),
    ],
)
def test_what_cannot_be_proposed_is_said_and_leaves_no_folder(
    tmp_path: Path, document: Any, params: dict[str, Any], said: str
) -> None:
    with pytest.raises(click.ClickException) as caught:
        shop_document(tmp_path, document, **params)

    assert said in caught.value.message
    assert "s3cret" not in caught.value.message
    assert not (tmp_path / "shop").exists()


def test_a_document_may_be_json_and_refer_to_itself(tmp_path: Path) -> None:
    node = in_object(id={"type": "string"}, child={"$ref": "#/components/schemas/Node"})
    rows = {"type": "array", "items": {"$ref": "#/components/schemas/Node"}}
    loop = {"allOf": [{"$ref": "#/components/schemas/Loop"}]}
    schemas = {"Node": node, "Loop": loop, "Self": {"$ref": "#/components/schemas/Self"}}
    paths = {
        "/nodes": get(rows),
        "/loops": get({"$ref": "#/components/schemas/Loop"}),
        "/selves": get({"$ref": "#/components/schemas/Self"}),
    }
    document = shop_document(tmp_path, json.dumps(openapi(paths, components={"schemas": schemas})))
    assert [*tables_of(document)] == ["nodes"]
