"""The command `python -m pipelines_project.sources <defs.yaml> <table>`: a look before landing.

It prints the columns and the first rows of a month. Nothing is landed, and no Dagster is started.
"""

from pipelines_project.look_command import main

if __name__ == "__main__":
    main()
