"""Rows as dicts made into typed columns: one type a column, from all rows before any lands."""

from pipelines_project.sources.typed_rows.resource import typed
from pipelines_project.sources.typed_rows.variants import refuse_variants

__all__ = ["refuse_variants", "typed"]
