"""Tests of `examples/`: each README is followed as it stands."""
