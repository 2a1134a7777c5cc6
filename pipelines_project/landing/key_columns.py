"""The rule that rows have the columns that tell them apart."""

from collections.abc import Sequence

from pipelines_project.landing.errors import LandingError
from pipelines_project.landing.new_load import Details, NewLoad, Verify


def having_key(key: Sequence[str], verify: Verify) -> Verify:
    """Return a decision that refuses rows without a column of their key, and then asks another.

    Where it was not refused, a column that the source has renamed would replace a good month by
    rows that the warehouse cannot load.
    """

    def checked(new: NewLoad) -> Details:
        there = dict.fromkeys(new.staged.schema)
        if "month" in there:
            # Its name in the warehouse, whose column `month` is the partition's.
            there["source_month"] = None
        missing = [name for name in key if name not in there]
        if missing and new.rows_of(new.month.table):
            raise LandingError(
                f"{new.month}: key names {', '.join(missing)}, which no row has: there are "
                f"{', '.join(name for name in there if not name.startswith('_dlt_'))}. Correct key "
                "in defs.yaml, or the source; where files have titles above their header, set "
                "start_row"
            )
        return verify(new)

    return checked
