"""The job of each source that forgets a person, which needs to know the marts of all sources."""

import dagster as dg

from pipelines_project.components.monthly_source import MonthlySource
from pipelines_project.components.sql_models import SqlModels
from pipelines_project.marts.mart import marts_over
from pipelines_project.orchestration.forget_job import forget_job


@dg.definitions
def forget(context: dg.ComponentLoadContext) -> dg.Definitions:
    """Return the job of every source that has a table which says whose a row is."""
    tree = context.component_tree
    sources = tree.get_all_components(of_type=MonthlySource)
    marts = [mart for models in tree.get_all_components(of_type=SqlModels) for mart in models.marts]
    jobs = []
    for name in dict.fromkeys(component.source for component in sources):
        of_source = [component for component in sources if component.source == name]
        tables = [
            table
            for component in of_source
            for table in component.monthly_tables()
            if table.subject
        ]
        if tables:
            names = [f"{table.source}.{table.name}" for table in tables]
            jobs.append(forget_job(name, of_source[0].person, tables, marts_over(names, marts)))
    return dg.Definitions(jobs=jobs)
