"""The warehouse: attaching it, its ledger, and loading a landed month. No Dagster."""
