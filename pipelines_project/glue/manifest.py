"""The manifest of a month: the one file that names the files that Athena reads for it.

It has the name and the place that Delta Lake gives such files, which Athena is known to read. It is
one object, so that a put replaces it whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipelines_project.landing.landed_month import LandedMonth

_FOLDER = "_symlink_format_manifest"
# Something else was written since, or is being written now.
_CHANGED = {"PreconditionFailed", "ConditionalRequestConflict", "412", "409"}
_MISSING = {"NoSuchKey", "404"}


def manifests_of(month: LandedMonth) -> str:
    """Return the folder of the manifests of the month's table, below which each has a folder."""
    return f"{month.dataset}/{month.table}/{_FOLDER}"


def manifest_path(month: LandedMonth) -> str:
    """Return the path of the month's manifest, alone in its folder."""
    return f"{manifests_of(month)}/month={month.month}/manifest"


def named_files(month: LandedMonth) -> set[str]:
    """Return the paths of the files that Athena reads for the month, none where it has no manifest.

    It goes by the landing zone alone, for what does not know whether the table is published.
    """
    try:
        text = month.fs.cat_file(manifest_path(month), start=0).decode()
    except (FileNotFoundError, NotADirectoryError):
        return set()
    return {url.partition("://")[2] for url in text.splitlines()}


@dataclass(frozen=True)
class Manifest:
    """A manifest as it was when it was read.

    Attributes:
        s3: boto3's client.
        path: its bucket and key.
        urls: the files that it names.
        tag: the store's tag of what was read, None if there was no manifest.
    """

    s3: Any
    path: str
    urls: list[str]
    tag: str | None = None

    def replace(self, urls: Sequence[str]) -> bool:
        """Write it anew, and tell whether it was still as it was read; if not, it is left alone."""
        from botocore.exceptions import ClientError

        unchanged = {"IfMatch": self.tag} if self.tag else {"IfNoneMatch": "*"}
        content = "".join(f"{url}\n" for url in urls).encode()
        try:
            self.s3.put_object(**_place(self.path), Body=content, **unchanged)
        except ClientError as error:
            if error.response["Error"]["Code"] in _CHANGED | _MISSING:
                return False
            raise
        return True


def read_manifest(s3: Any, month: LandedMonth) -> Manifest:
    """Return the month's manifest; one that names nothing where there is none."""
    from botocore.exceptions import ClientError

    path = manifest_path(month)
    try:
        answer = s3.get_object(**_place(path))
    except ClientError as error:
        if error.response["Error"]["Code"] in _MISSING:
            return Manifest(s3, path, [])
        raise
    return Manifest(s3, path, answer["Body"].read().decode().splitlines(), answer["ETag"])


def _place(path: str) -> dict[str, str]:
    bucket, _, key = path.partition("/")
    return {"Bucket": bucket, "Key": key}
