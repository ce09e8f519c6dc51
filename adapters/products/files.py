"""Reading product files: one file, or every `*.toml` of a folder."""

from collections.abc import Mapping
from pathlib import Path

from adapters.products.schema import ProductTable
from adapters.products.translate import ProductFile, product_of
from adapters.refusals import SourceRefused
from adapters.validation import read_toml
from domain.errors import InvalidInput

MOST_BYTES = 256 * 1024
MOST_FILES = 500


def read_product(path: Path) -> ProductFile:
    """One product file.

    Raises:
        SourceRefused: names the file and every field, value and rule that is broken.
    """
    return read_toml(
        path, MOST_BYTES, lambda content: product_of(ProductTable.model_validate(content))
    )


def read_products(path: Path) -> Mapping[str, ProductFile]:
    """All products of a file or folder, by `id@version`, and the latest version by its `id`.

    Raises:
        SourceRefused: no product file, two files of one version, or a faulty file.
    """
    files = [path] if path.is_file() else sorted(path.glob("*.toml"))
    if not 1 <= len(files) <= MOST_FILES:
        fault = InvalidInput("files", len(files), f"1 to {MOST_FILES} product files (*.toml)")
        raise SourceRefused(str(path), [fault])
    found: dict[str, ProductFile] = {}
    for file in files:
        read = read_product(file)
        if read.product.ref in found:
            fault = InvalidInput("id@version", read.product.ref, "one file for each version")
            raise SourceRefused(str(file), [fault])
        found[read.product.ref] = read
    latest: dict[str, ProductFile] = {}
    for read in sorted(found.values(), key=lambda item: item.product.version):
        latest[read.product.id] = read
    return {**found, **latest}
