"""Names and texts as SQL has them."""


def quoted(name: str) -> str:
    """Return the name as a quoted SQL identifier."""
    escaped = name.replace('"', '""')
    return f'"{escaped}"'


def literal(text: str) -> str:
    """Return the text as an SQL string."""
    escaped = text.replace("'", "''")
    return f"'{escaped}'"


def qualified(schema: str, table: str) -> str:
    """Return the quoted name of a table with its schema."""
    return f"{quoted(schema)}.{quoted(table)}"
