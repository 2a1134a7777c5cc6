"""Names of columns: told apart where they fall together, or chosen by the settings."""

import pytest
from dlt.common.normalizers.naming.snake_case import NamingConvention

from pipelines_project.sources.column_names import assigned, origins_of
from pipelines_project.sources.http.api_calls import SourceError
from pipelines_project.sources.json.shape import Path

NAMING = NamingConvention()


def _assigned(*names: str, **chosen: str) -> dict[str, str]:
    plain: dict[Path, str] = {(name,): NAMING.normalize_path(name) for name in names}
    found = assigned(plain, NAMING, ("_dlt_id",), chosen)
    return {name: column for (name,), column in found.items()}


@pytest.mark.parametrize("names", [("UserID", "user_id"), ("user_id", "UserID")])
def test_the_field_that_is_spelled_like_the_column_has_it(names: tuple[str, str]) -> None:
    found = _assigned(*names)
    assert found["user_id"] == "user_id"
    assert found["UserID"].startswith("user_id_x")


def test_a_field_that_falls_together_with_no_other_has_the_plain_name() -> None:
    assert _assigned("userId", "Order ID") == {"userId": "user_id", "Order ID": "order_id"}


def test_settings_choose_columns() -> None:
    assert _assigned("userId", "user_id", userId="app_user") == {
        "userId": "app_user",
        "user_id": "user_id",
    }


def test_fields_swap_their_columns_where_settings_say_so() -> None:
    assert _assigned("a", "b", a="b", b="a") == {"a": "b", "b": "a"}


@pytest.mark.parametrize(
    ("names", "chosen", "said"),
    [
        (["a", "b"], {"a": "b"}, "'a' the column 'b', which 'b' has too"),
        (["a", "b"], {"a": "c", "b": "c"}, "'a' the column 'c', which 'b' has too"),
        (["a"], {"a": "_dlt_id"}, "'a' the column '_dlt_id', which landing itself adds"),
    ],
)
def test_a_chosen_column_that_is_taken_is_refused(
    names: list[str], chosen: dict[str, str], said: str
) -> None:
    with pytest.raises(SourceError, match=said):
        _assigned(*names, **chosen)


def test_a_chosen_column_is_for_its_own_name_and_all_that_are_chosen_for_it() -> None:
    chosen = {"userId": "user_id", "/person/Id": "user_id", "x": "y"}
    assert origins_of({"user_id": "/user_id", "z": "/Z"}, chosen) == {
        "user_id": ["/person/Id", "/userId", "/user_id"],
        "z": ["/Z"],
    }
