"""What a `defs.yaml` can name: a component type for each kind of source, for marts and alerts."""

from pipelines_project.components.alerts import Alerts
from pipelines_project.components.chess import ChessSource
from pipelines_project.components.dlt_source import DltSource
from pipelines_project.components.files import Files, LocalJsonlSource
from pipelines_project.components.freshdesk import FreshdeskSource
from pipelines_project.components.monthly_source import MonthlySource
from pipelines_project.components.rest_api import RestApi
from pipelines_project.components.sql_models import SqlModels
from pipelines_project.components.sql_tables import SqlTables

__all__ = [
    "Alerts",
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
