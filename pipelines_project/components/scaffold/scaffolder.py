"""What the scaffolders share: parameters that are asked for, and a file that is written once."""

import sys
from abc import abstractmethod
from contextlib import suppress

import click
import dagster as dg
from pydantic import BaseModel
from typing_extensions import TypeVar

from pipelines_project.components.scaffold.document import Document, schema_path
from pipelines_project.months import checked_month
from pipelines_project.names import checked_source
from pipelines_project.sources.http.api_calls import SourceError

Params = TypeVar("Params", bound=BaseModel)


class DocumentScaffolder(dg.Scaffolder[Params]):
    """Writes the `defs.yaml` of a source; the folder's name is the source's."""

    @abstractmethod
    def document(self, source: str, params: Params) -> Document:
        """Return what is proposed.

        Raises:
            SourceError, ValueError, OSError: nothing can be proposed; the text says what to do.
        """

    def scaffold(self, request: dg.ScaffoldRequest[Params]) -> None:
        """Write the file, or nothing.

        Raises:
            click.ClickException: it is there already, or nothing can be proposed.
        """
        try:
            self._write(request)
        except (SourceError, ValueError, OSError) as error:
            raise click.ClickException(str(error)) from None
        finally:
            # Dagster makes the folder before, and refuses to scaffold into one that is there.
            with suppress(OSError):
                request.target_path.rmdir()

    def _write(self, request: dg.ScaffoldRequest[Params]) -> None:
        if request.scaffold_format != "yaml" or request.append:
            raise ValueError("only a defs.yaml of its own can be written: leave out --format")
        folder = request.target_path
        for name in ("defs.yaml", "defs.yml", "component.py"):
            if (folder / name).exists():
                raise ValueError(f"{folder / name} is there already: choose another folder")
        document = self.document(checked_source(folder.name), request.params)
        text = document.text(request.type_name, schema_path(folder, request.project_root))
        with (folder / "defs.yaml").open("x", encoding="utf-8") as file:
            file.write(text)


def asked(value: str | None, flag: str, question: str) -> str:
    """Return a parameter, which is asked for on a terminal if it was not given.

    Raises:
        ValueError: it was not given, and nobody can be asked.
    """
    if value:
        return value
    if not sys.stdin.isatty():
        raise ValueError(f"{flag} is needed: {question}")
    return str(click.prompt(question)).strip()


def asked_month(month: str | None) -> str:
    """Return the first month; raises as `asked` does, or because it is no month."""
    return checked_month(asked(month, "--start-month", "the first month there is, as YYYY-MM"))
