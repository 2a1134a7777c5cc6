"""A raw file as a plain file of this machine: fetched, decompressed, and UTF-8 if it is text."""

import codecs
import shutil
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
from fsspec.implementations.local import LocalFileSystem

from pipelines_project.sources.files.raw_files import RawFile, RawFolder
from pipelines_project.sources.http.api_calls import SourceError

_COMPRESSION = {".gz": "gzip", ".zst": "zstd", ".bz2": "bz2"}
_CHUNK_BYTES = 4 << 20
_UTF8 = {"utf-8", "utf-8-sig"}


@contextmanager
def opened(folder: RawFolder, file: RawFile) -> Generator[IO[bytes] | pa.NativeFile]:
    """Give the file's bytes, decompressed by what its name ends with.

    Raises:
        OSError: the file is gone, or its compressed data is cut off or damaged; it names the file.
    """
    compression = _compression(file)
    try:
        with folder.fs.open(folder.full_path(file), "rb") as raw:
            if compression is None:
                yield raw
            else:
                with pa.CompressedInputStream(pa.PythonFile(raw, "r"), compression) as stream:
                    yield stream
    except OSError as error:
        raise OSError(f"cannot read {file.path}: {error}") from error


def local_copy(folder: RawFolder, file: RawFile, place: Path, encoding: str | None = None) -> Path:
    """Return where the file is on this machine, decompressed; it is copied only if need be.

    Args:
        folder: that the file is in.
        file: the raw file.
        place: the path for the copy, which is made if the file is not local, compressed, or text
            that is not UTF-8.
        encoding: of a text file.

    Raises:
        OSError: as `opened` does.
        SourceError: the file is not in the encoding; it names file and line.
    """
    is_plain = _compression(file) is None
    transcoded = encoding is not None and codecs.lookup(encoding).name not in _UTF8
    if is_plain and not transcoded and isinstance(folder.fs, LocalFileSystem):
        return Path(folder.full_path(file))
    with opened(folder, file) as raw, place.open("wb") as copy:
        if transcoded:
            _transcode(file, raw, copy, str(encoding))
        else:
            shutil.copyfileobj(raw, copy, _CHUNK_BYTES)
    return place


def _compression(file: RawFile) -> Any:
    return next((c for end, c in _COMPRESSION.items() if file.path.endswith(end)), None)


def _transcode(file: RawFile, raw: Any, copy: IO[bytes], encoding: str) -> None:
    decoder, lines = codecs.getincrementaldecoder(encoding)(), 1
    while True:
        data = raw.read(_CHUNK_BYTES)
        try:
            text = decoder.decode(data, final=not data)
        except UnicodeDecodeError as error:
            lines += error.object[: error.start].decode(encoding, "replace").count("\n")
            raise SourceError(
                f"{file.path} line {lines} is not {encoding}: {error.reason}. Nothing was landed: "
                "set encoding to what the file is written in"
            ) from error
        lines += text.count("\n")
        copy.write(text.encode())
        if not data:
            return
