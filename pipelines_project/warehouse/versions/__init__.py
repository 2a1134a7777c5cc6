"""Changes that a source makes to its warehouse tables on purpose, by SQL files."""
