"""What `dg scaffold defs` writes for a kind of source: a `defs.yaml` made from what is there."""
