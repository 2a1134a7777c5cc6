"""The soak: random runs, kills and reads for as long as one likes, and a reconciliation."""
