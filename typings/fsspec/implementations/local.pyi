from typing import Any

from fsspec import AbstractFileSystem

class LocalFileSystem(AbstractFileSystem):
    def rm_file(self, path: str) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
