"""The dlt destination of one month: where its files go and what they are called."""

from functools import cache

from dlt.common.destination import DestinationCapabilitiesContext
from dlt.common.destination.configuration import ParquetFormatConfiguration
from dlt.common.normalizers.naming import NamingConvention
from dlt.destinations import filesystem
from dlt.destinations.impl.filesystem.configuration import FilesystemDestinationClientConfiguration

# A million events: 27 MB where snappy, dlt's default, makes 44, as fast to write and to load.
COMPRESSION = "zstd"


def month_destination(url: str, month: str) -> filesystem:
    """Return the destination of a month below the landing zone's root.

    Its capabilities, which dlt asks for sixteen times a load and finds in its settings each time,
    are found once in a process: that was a third of what dlt costs a month.
    """
    destination = filesystem(
        bucket_url=url,
        layout="{table_name}/month={month}/{load_id}.{file_id}.{ext}",
        extra_placeholders={"month": month},
    )
    find = destination.capabilities

    def capabilities(
        config: FilesystemDestinationClientConfiguration | None = None,
        naming: NamingConvention | None = None,
    ) -> DestinationCapabilitiesContext:
        # dlt changes what it is given.
        return find(config, naming) if config else _capabilities(url, type(naming)).copy()

    destination.capabilities = capabilities
    return destination


@cache
def _capabilities(
    url: str, naming: type[NamingConvention | None]
) -> DestinationCapabilitiesContext:
    parquet = ParquetFormatConfiguration(compression=COMPRESSION)
    return filesystem(bucket_url=url, parquet_format=parquet).capabilities(naming=naming())
