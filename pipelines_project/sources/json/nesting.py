"""How deep the JSON of lines is nested, and which lines are nested too deep to be followed."""

import re
from typing import Any

import pyarrow as pa
import pyarrow.compute

# Its functions are made when it is imported, where no type checker sees them.
pc: Any = pyarrow.compute

# Python follows a shape by recursion, up to 1,000 levels; DuckDB does too, and from some 50,000
# levels on it takes the whole process with it.
MAX_NESTING = 500
TOO_DEEP = f"nested more than {MAX_NESTING} levels deep"

_NO_BRACKETS = bytes({*range(256)} - {*b'[]{}"\n'})
_STRING = re.compile(b'"[^"\n]*"')


def too_deep(lines: "pa.ChunkedArray[Any]", data: bytes | None = None) -> list[int]:
    """Return the positions of the lines with more than `MAX_NESTING` levels.

    Args:
        lines: as text.
        data: the same in one piece, where it is at hand; whether any can be too deep is told by
            it at once.
    """
    # A level is two bytes, so short lines need no look.
    longest = pc.max(pc.binary_length(lines)).as_py() or 0
    if longest <= 2 * MAX_NESTING or (data is not None and not _may_be_too_deep(data)):
        return []
    text = lines.combine_chunks()
    opened = pc.add(pc.count_substring(text, "["), pc.count_substring(text, "{"))
    suspects = pc.indices_nonzero(pc.fill_null(pc.greater(opened, MAX_NESTING), False))
    return [at for at in suspects.to_pylist() if _is_too_deep(text[at].as_py().encode())]


def _may_be_too_deep(lines: bytes) -> bool:
    """Tell whether any of the lines may be too deep; surely not if the brackets of all match."""
    left = _brackets(lines)
    # Levels go away from the innermost one on.
    for _ in range(MAX_NESTING):
        if not left:
            return False
        left = left.replace(b"{}", b"").replace(b"[]", b"")
    return True


def _is_too_deep(line: bytes) -> bool:
    if not _may_be_too_deep(line):
        return False
    depth = deepest = 0
    for bracket in _brackets(line).replace(b'"', b""):
        depth += 1 if bracket in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest > MAX_NESTING


def _brackets(lines: bytes) -> bytes:
    """Return the brackets outside of strings, and the quotes of strings that do not end."""
    if b"\\" in lines:
        lines = lines.replace(b"\\\\", b"").replace(b'\\"', b"")
    left = lines.translate(None, _NO_BRACKETS).replace(b'""', b"")
    return _STRING.sub(b"", left).replace(b"\n", b"")
