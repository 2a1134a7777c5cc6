"""Made-up rows of any width, as JSON lines: the SQL that `raw_files` writes them with."""

from collections.abc import Sequence
from dataclasses import dataclass

FEWEST_COLUMNS, MOST_COLUMNS = 5, 1000
MOST_BYTES = 5 * 1024
MOST_LEVELS = 20
# One text in so many has as many bytes as are asked for, one sparse value in so many is there.
_ONE_IN = 50


@dataclass(frozen=True)
class WideRows:
    """What the rows are like.

    Attributes:
        columns: how many keys a row has, the three included that every row has: `event_id`,
            `created_at` and `updated_at`.
        kinds: the kinds of value that the other columns take in turns, of `KINDS`.
        value_bytes: how long the longest texts are.
        levels: how many objects a nested value is inside of.
    """

    columns: int
    kinds: Sequence[str]
    value_bytes: int
    levels: int

    def lines(self) -> str:
        """Return the SQL of the number `i` and the line of each row.

        Its parameters are `$rows`, `$first` (the first id), `$month`, and `$salt`, by which the
        rows of one file differ from another's.
        """
        entries = [
            _entry("event_id", "$first + i"),
            _entry("created_at", _moment("created")),
            _entry("updated_at", _moment("updated")),
        ]
        for number in range(self.columns - len(entries)):
            kind = self.kinds[number % len(self.kinds)]
            name = f"{kind}_{number + 1}"
            entries.append(_entry(name, KINDS[kind].format(**self._parts(name))))
        # Only a list may have as many elements as there are columns, and it skips what is null.
        keys = ", ".join(entries)
        return f"""
            select i, '{{' || array_to_string([{keys}], ', ') || '}}' as line
            from range($rows) as numbers(i)
        """

    def _parts(self, name: str) -> dict[str, str]:
        number = f"hash(i, $salt, '{name}')"
        length = f"if({number} % {_ONE_IN} = 0, {self.value_bytes}, 1 + {number} % 32)"
        length = f"cast(least({self.value_bytes}, {length}) as bigint)"
        return {
            "number": number,
            "text": f"left(repeat(md5(cast({number} as varchar)), 1 + {length} // 32), {length})",
            "opened": "".join(f'{{"level_{level + 1}": ' for level in range(self.levels)),
            "closed": "}" * self.levels,
        }


_TEXT = "'\"' || {text} || '\"'"
KINDS = {
    "ints": "{number} % 1000000000",
    "text": _TEXT,
    "mixed": """case {number} % 5
        when 0 then cast({number} % 1000 as varchar)
        when 1 then cast({number} % 1000 / 7 as varchar)
        when 2 then 'true'
        when 3 then '"n/a"'
        else '"' || {number} % 1000 || '"' end""",
    # 2^64 and beyond, up to 25 digits.
    "long": "18446744073709551616 * (1 + {number} % 100000) + {number}",
    "nested": "'{opened}' || {number} % 1000000 || '{closed}'",
    "sparse": f"if({{number}} % {_ONE_IN} = 0, {_TEXT}, null)",
}


def _entry(name: str, value: str) -> str:
    return f"""'"{name}": ' || ({value})"""


def _moment(what: str) -> str:
    seconds = f"cast(hash(i, $salt, '{what}') % 2419200 as bigint)"
    moment = f"cast($month || '-01' as timestamp) + to_seconds({seconds})"
    return f"""strftime({moment}, '"%Y-%m-%dT%H:%M:%SZ"')"""
