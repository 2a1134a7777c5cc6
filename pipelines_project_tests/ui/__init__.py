"""The UI, started by `make dev`."""
