"""The definitions: resources here, and a folder for each source."""
