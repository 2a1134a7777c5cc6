"""The types that texts have: told by how they are written, or declared.

A type is told only if writing every value back gives the text: `007`, `1.10` beside `1.5`, a number
of 20 digits and `+49…` stay text. The exceptions are an integer among numbers with a fraction, and
the `T` and the `Z` of a time.
"""

import re
from dataclasses import dataclass, replace
from functools import cache

from pipelines_project.sql_text import literal

_TIMESTAMP = re.compile(
    r"\d{4}-\d\d-\d\d(?P<between>[ T])\d\d:\d\d:\d\d(?:[.](?P<fraction>\d{1,9}))?(?P<zone>Z?)"
)
_DECLARED = re.compile(r"([a-z]+)(?:[(](.*)[)])?")
_DIGITS = re.compile(r"(\d{1,2}) *, *(\d{1,2})")
_NUMBER = r"[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?"


@dataclass(frozen=True)
class TextType:
    """A type, and the SQL that makes a value of a text.

    Attributes:
        sql: the DuckDB type.
        value: the value of the text `{x}`, null if it has none.
        exact: whether `{v}` says all that the text `{x}` says, or both are null; never null.
        declared: how the settings write it; empty if it is told by the texts.
    """

    sql: str
    value: str
    exact: str
    declared: str = ""

    def value_of(self, text: str) -> str:
        """Return the SQL of the value of a text, which is SQL too."""
        return self.value.replace("{x}", text)

    def fits(self, text: str, value: str) -> str:
        """Return the SQL that tells whether a text is null or has a value that says it all."""
        return self.exact.replace("{x}", text).replace("{v}", value)


def _cast(sql: str, exact: str) -> TextType:
    return TextType(sql, f"try_cast({{x}} as {sql})", exact)


def _if_any(exact: str) -> str:
    """Return the SQL for texts that are null too, and for what may be null itself."""
    return f"({{x}} is null or coalesce({exact}, false))"


TEXT = TextType("VARCHAR", "{x}", "true")
VACANT = TextType("VARCHAR", "{x}", "{x} is null")
"""The type of a column that has no value."""

_SAME = "cast({v} as varchar) is not distinct from {x}"
_BOOLEAN, _BIGINT, _DATE = _cast("BOOLEAN", _SAME), _cast("BIGINT", _SAME), _cast("DATE", _SAME)
_DOUBLE = _cast("DOUBLE", f"({_SAME} or {_SAME} || '.0')")


def told_types(text: str) -> list[TextType]:
    """Return the types that a column can have of which this text is a value, the best first."""
    if text in ("true", "false"):
        return [_BOOLEAN]
    if match := _TIMESTAMP.fullmatch(text):
        return [_timestamp(match)]
    if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        return [_DATE]
    if re.fullmatch(r"-?\d{1,19}", text):
        return [_BIGINT, _DOUBLE]
    if match := re.fullmatch(r"-?\d{1,38}[.](\d{1,37})", text):
        fraction = len(match[1])
        short, long = (_cast(f"DECIMAL({digits},{fraction})", _SAME) for digits in (18, 38))
        # Last, because DuckDB takes a hundred times as long for it.
        return [short, _DOUBLE, long] if fraction < 18 else [_DOUBLE, long]
    return [_DOUBLE] if re.fullmatch(_NUMBER, text) else []


def _timestamp(match: re.Match[str]) -> TextType:
    """Return the type of times that are all written in the same way."""
    between, fraction, zone = match["between"], match["fraction"], match["zone"]
    sql = "TIMESTAMP WITH TIME ZONE" if zone else "TIMESTAMP"
    if between == " " and not fraction and not zone:
        return _cast(sql, _SAME)
    # Nanoseconds say no more than microseconds do where they are zeros.
    told, zeros = (min(len(fraction), 6), max(len(fraction) - 6, 0)) if fraction else (0, 0)
    digits = f"[.][0-9]{{{told}}}0{{{zeros}}}" if fraction else ""
    pattern = (
        f"[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}{between}([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
        f"{digits}{zone}"
    )
    exact = f"{{v}} is not null and regexp_full_match({{x}}, '{pattern}')"
    return _cast(sql, _if_any(exact))


DATE_REASON = "date of the years 1900 to 2199"
"""What the column that tells the month of a row must be."""


@cache
def declared_type(text: str) -> TextType:
    """Return the type that the settings declare.

    A text need not be written as the type writes it: `007` is a bigint of 7. It must have no more
    than the type holds: `1.125` is no decimal(12,2).

    Raises:
        ValueError: it is no type; the error says which there are.
    """
    match = _DECLARED.fullmatch(text.strip())
    found = match and _declared(match[1], match[2])
    if not found:
        raise ValueError(
            f"{text[:80]!r} is no type: write text, boolean, bigint, double, decimal(12,2), date, "
            "timestamp, timestamptz, or date and timestamp with their form, as in date(%d.%m.%Y)"
        )
    return replace(found, exact=_if_any(found.exact), declared=text.strip())


def _declared(name: str, inside: str | None) -> TextType | None:
    if inside is not None:
        return _declared_form(name, inside)
    whole = "{v} is not null and regexp_full_match(trim({x}), '%s')"
    types = {
        "text": TextType("VARCHAR", "{x}", "true"),
        "boolean": _cast("BOOLEAN", "{v} is not null"),
        "bigint": _cast("BIGINT", whole % "[+-]?[0-9]+([.]0*)?"),
        "double": _cast("DOUBLE", whole % _NUMBER),
        "date": _cast("DATE", whole % "[0-9]{4,5}-[0-9]{1,2}-[0-9]{1,2}([ T]00:00:00([.]0+)?)?"),
        # No more than the microseconds that they hold.
        "timestamp": _cast("TIMESTAMP", whole % "[^+Z.]*([.][0-9]{0,6}0*)?"),
        "timestamptz": _cast(
            "TIMESTAMP WITH TIME ZONE", whole % "[^.]*([.][0-9]{0,6}0*([^0-9].*)?)?"
        ),
    }
    return types.get(name)


def _declared_form(name: str, inside: str) -> TextType | None:
    """Return a decimal with its digits, or a date or time with its form."""
    if name == "decimal" and (match := _DIGITS.fullmatch(inside.strip())):
        digits, fraction = int(match[1]), int(match[2])
        if not 0 < digits <= 38 or fraction > digits:
            return None
        number = f"[+-]?([0-9]+([.][0-9]{{0,{fraction}}}0*)?|[.][0-9]{{1,{fraction}}}0*)"
        exact = f"{{v}} is not null and regexp_full_match(trim({{x}}), '{number}')"
        return _cast(f"DECIMAL({digits},{fraction})", exact)
    if name in ("date", "timestamp") and "%" in inside:
        value = f"try_cast(try_strptime({{x}}, {literal(inside)}) as {name.upper()})"
        # `%Y` takes 24 for the year 24.
        return TextType(name.upper(), value, "{v} is not null and year({v}) >= 1000")
    return None
