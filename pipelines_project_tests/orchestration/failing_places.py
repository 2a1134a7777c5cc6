"""The places of the code that fail a step, and which of them a run has passed through."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pipelines_project
from pipelines_project_tests.code_location import Run

# What makes a text fail a step. Those that only pass on a text of their caller's are no sites.
_FAILING = {"dg.Failure", "told_plainly", "refuse_failed"}
_PASSING_ON = {"told_plainly", "refuse_failed"}
_FRAME = re.compile(r'File "(.*)", line (\d+)')


def _spots(node: ast.AST) -> Iterator[range]:
    """Yield the lines of what makes a text fail its step within a node, in their order."""
    for each in ast.iter_child_nodes(node):
        if isinstance(each, ast.FunctionDef) and each.name in _PASSING_ON:
            continue
        if isinstance(each, ast.With):
            # Who leaves a `with` of several comes from the last that was entered.
            header = range(each.lineno, (each.items[-1].context_expr.end_lineno or 0) + 1)
            yield from (header for item in each.items for _ in _spots(item))
            yield from _spots(ast.Module(each.body, []))
            continue
        if isinstance(each, ast.Call) and ast.unparse(each.func) in _FAILING:
            yield range(each.lineno, (each.end_lineno or each.lineno) + 1)
        yield from _spots(each)


@cache
def failing_places() -> dict[str, tuple[Path, range]]:
    """Return every place that fails a step, by its module and its number there."""
    root = Path(pipelines_project.__file__).parent
    texts = {path: path.read_text() for path in sorted(root.rglob("*.py"))}
    return {
        f"{path.stem} {number}": (path, lines)
        for path, text in texts.items()
        if any(f"{name}(" in text for name in _FAILING)
        for number, lines in enumerate(_spots(ast.parse(text)), start=1)
    }


def reached(run: Run) -> set[str]:
    """Return the places that the failures of a run have passed through."""
    failures = run.result.filter_events(lambda event: event.is_step_failure)
    errors = [each.step_failure_data.error for each in failures]
    stack = "\n".join(line for error in errors if error for line in error.stack)
    frames = [(Path(file), int(line)) for file, line in _FRAME.findall(stack)]
    return {
        name
        for name, (path, lines) in failing_places().items()
        if any(path == file and line in lines for file, line in frames)
    }
