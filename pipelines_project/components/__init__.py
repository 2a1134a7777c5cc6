"""What a `defs.yaml` can name: a component type for each kind of source, and the one for marts."""

from pipelines_project.components.chess import ChessSource
from pipelines_project.components.dlt_source import DltSource
from pipelines_project.components.files import Files, LocalJsonlSource
from pipelines_project.components.freshdesk import FreshdeskSource
from pipelines_project.components.monthly_source import MonthlySource
from pipelines_project.components.rest_api import RestApi
from pipelines_project.components.sql_models import SqlModels
from pipelines_project.components.sql_tables import SqlTables

__all__ = [
    "ChessSource",
    "DltSource",
    "Files",
    "FreshdeskSource",
    "LocalJsonlSource",
    "MonthlySource",
    "RestApi",
    "SqlModels",
    "SqlTables",
]
