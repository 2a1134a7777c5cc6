"""Every command of the documents is run or read by a test, or the table says why none can."""

import re
from fnmatch import fnmatch

from pipelines_project_tests.documents import ROOT, commands

# Such commands run in other tests; of these words the selections and months are read.
_READ = "test_documented_commands.py::test_dagster_takes_every_selection"
_COMMAND = "test_materialize_command.py::test_months_are_made_with_a_line_each"
_PLAN = "test_plan_command.py::test_the_plan_tells_each_month"
_LOOK = "test_look_command.py::test_"
_JOBS = "test_run_job.py::test_what_the_documents_say_to_run_by_hand_runs"
_CI = ".ci/run"
_NO_TEST = "not run: "

# Documents whose test takes all of their commands, or those that are not in the table below, and
# runs them one after another.
_FOLLOWED = {
    "docs/tutorial.md": "examples/test_tutorial.py::",
    "docs/add_a_source.md": "examples/test_python_source.py::",
    "examples/README.md": "examples/test_rest_api.py::",
    "examples/file_exports/README.md": "examples/test_file_exports.py::",
    "examples/postgres_shop/README.md": "examples/test_postgres_shop.py::",
    "examples/price_history/README.md": "examples/test_price_history.py::",
    "examples/rest_api/README.md": "examples/test_rest_api.py::",
}
# Of the others: a document, a command, and what runs it. The first that fits counts.
_TABLE = [
    ("docs/back_up.md", r"(tar|mv) .*", "test_back_up.py::test_what_was_backed_up_comes_back"),
    ("docs/back_up.md", r".*chess_rebuild_warehouse.*", _JOBS),
    ("docs/repair.md", r"mv data/warehouse.duckdb .*", f"{_NO_TEST}a file gets another name"),
    ("*", r"python -m pipelines_project\.run_job (chess_\w+|clean_history)( .*)?", _JOBS),
    ("*", r"dagster asset materialize .*'(group:chess|key:\"\w+/chess/).*", _READ),
    ("*", r"make materialize SELECT=('key:\"\w+/chess/|group:chess).*", _COMMAND),
    ("*", r"CHESS_CONTACT=\S+ CHESS_API_URL=\S+ make materialize .*", _COMMAND),
    (
        "*",
        r"python -m pipelines_project plan .*",
        _PLAN,
    ),
    (
        "*",
        r"python -m pipelines_project.sources \S+/chess/defs.yaml .*",
        "test_look_command.py::test_",
    ),
    ("*", r"dagster instance .*", f"{_NO_TEST}Dagster's own command"),
    ("*", r"STRICT_DEFINITIONS=1 dagster definitions validate .*", _CI),
    ("*", r"echo .* \| make query", "query/test_query.py::test_the_terminal_answers_while"),
    ("*", r"make demo", "demo/test___main__.py::test_the_demo_shows_what_it_wrote"),
    ("*", r"make dev", "ui/test_ui.py::test_"),
    (
        "*",
        r"make scale .*",
        "deploy/test_fleet.py::test_all_months_of_all_sources_are_exact_though_workers",
    ),
    ("*", r"make bench .*", "benchmarks/test___main__.py::test_"),
    ("*", r"make (check|install)", _CI),
    ("*", r"python -m pip install -c constraints.txt .*", f"{_NO_TEST}needs the network"),
    ("*", r"umask 077", "test_security.py::test_with_a_strict_umask"),
    ("docs/sources/rest_api.md", r".*[ :/]weather.*", "components/test_rest_api.py::test_"),
    ("docs/tables.md", r".* pipelines_project/defs/shop/.*", "test_look_command.py::test_"),
    ("*", r"(export )?[A-Z_]+=\S+|export [A-Z_]+='.*'", f"{_NO_TEST}a setting"),
    ("docs/deploy.md", r"docker compose .*", "deploy/test_compose.py::test_the_file_is_what"),
    ("docs/deploy.md", r"(docker|kubectl|helm|sudo) .*", f"{_NO_TEST}changes a machine or cluster"),
    ("*", r"git (clone|pull).*", f"{_NO_TEST}needs the network"),
    (
        "docs/upgrade.md",
        r"make (clean|install PYTHON=\S+)",
        f"{_NO_TEST}takes the environment away",
    ),
]


def _run_by(document: str, text: str) -> str | None:
    if found := _FOLLOWED.get(document):
        return found
    fits = (
        test
        for name, pattern, test in _TABLE
        if fnmatch(document, name) and re.fullmatch(pattern, text)
    )
    return next(fits, None)


def test_what_runs_every_command_is_known() -> None:
    unknown = [each for each in commands() if _run_by(each.document, each.text) is None]

    assert unknown == [], "run it by a test, and add a row to the table of this file"


def test_the_table_speaks_of_commands_and_tests_that_there_are() -> None:
    used = {_run_by(each.document, each.text) for each in commands()}
    named = {*_FOLLOWED.values(), *(test for *_, test in _TABLE)}

    assert named - used == set()
    for name in named - {_CI}:
        file, _, test = name.partition("::")
        if name.startswith(_NO_TEST):
            continue
        text = (ROOT / "pipelines_project_tests" / file).read_text(encoding="utf-8")
        assert f"def {test or 'test_'}" in text, name
