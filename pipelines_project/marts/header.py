"""What the first comment of a model says: how it is kept, and its description."""

import re
from dataclasses import dataclass

_SETTING = re.compile(r"([a-z_]+):\s*(\S.*)?")
_KINDS = ("table", "view", "incremental")


@dataclass(frozen=True)
class Header:
    """The comment before a model's SELECT.

    Attributes:
        materialized: `table`, `view` or `incremental`.
        lookback: how many months before its own a month of an incremental model is made from.
        description: what the other lines say.
    """

    materialized: str = "table"
    lookback: int = 0
    description: str = ""


def parse_header(sql: str) -> Header:
    """Read the lines that begin with `--` before anything else.

    A line `-- name: value`, with the name in lower case, is a setting.

    Raises:
        ValueError: a setting or its value is not known, or two do not go together.
    """
    settings, said = dict[str, str](), list[str]()
    for line in sql.splitlines():
        if not line.startswith("--"):
            break
        text = line.removeprefix("--").strip()
        match = _SETTING.fullmatch(text)
        if match and match[1] in settings:
            raise ValueError(f"{match[1]} is set twice")
        if match:
            settings[match[1]] = (match[2] or "").strip()
        else:
            said.append(text)
    if unknown := settings.keys() - {"materialized", "incremental", "lookback"}:
        raise ValueError(
            f"{min(unknown)!r} is no setting of a model: there are materialized, incremental and "
            "lookback. A line of the description begins otherwise"
        )
    kind = _materialized(settings)
    return Header(kind, _lookback(settings, kind), " ".join(said))


def _materialized(settings: dict[str, str]) -> str:
    kind = settings.get("materialized", "incremental" if "incremental" in settings else "table")
    if kind not in _KINDS:
        raise ValueError(f"materialized is {kind[:80]!r}: it is one of {', '.join(_KINDS)}")
    unit = settings.get("incremental", "month")
    if unit != "month":
        raise ValueError(f"incremental is {unit[:80]!r}: write month, the only one there is")
    if "incremental" in settings and kind != "incremental":
        raise ValueError(f"a {kind} is not incremental: leave one of the two settings out")
    return kind


def _lookback(settings: dict[str, str], kind: str) -> int:
    text = settings.get("lookback", "0")
    if not text.isdecimal() or not 0 <= int(text) <= 1200:
        raise ValueError(f"lookback is {text[:80]!r}: write a number of months from 0 to 1200")
    if int(text) and kind != "incremental":
        raise ValueError("lookback is for incremental models: add `-- incremental: month`")
    return int(text)
