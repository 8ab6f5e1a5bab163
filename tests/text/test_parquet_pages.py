"""Page headers of parquet files: against what the Arrow library states, in every codec, and damaged."""

from __future__ import annotations

import io
from random import Random

import pytest

from calm_lab.errors import CorpusError
from calm_lab.text.local import read_documents
from calm_lab.text.parquet_pages import unpacked_sizes

ROWS = 3000


def written(**options: object) -> bytes:
    import pyarrow
    import pyarrow.parquet

    rng, sink = Random(0), io.BytesIO()
    texts = [" ".join(rng.choices(["fox", "hen", "river", "Émile"], k=rng.randint(0, 40))) for _ in range(ROWS)]
    table = pyarrow.table({"n": list(range(ROWS)), "text": texts, "more": [[{"a": text}] for text in texts]})
    pyarrow.parquet.write_table(table, sink, data_page_size=4096, row_group_size=1000, **options)
    return sink.getvalue()


def metadata_of(data: bytes) -> object:
    import pyarrow.parquet

    return pyarrow.parquet.ParquetFile(io.BytesIO(data)).metadata


@pytest.mark.parametrize("column", ["n", "text", "more"])
@pytest.mark.parametrize("version", ["1.0", "2.0"])
@pytest.mark.parametrize("codec", ["none", "snappy", "gzip", "zstd", "lz4"])
def test_pages_add_up_to_what_the_footer_states(codec: str, version: str, column: str) -> None:
    data = written(compression=codec, data_page_version=version, use_dictionary=version == "1.0")
    metadata = metadata_of(data)
    sizes = list(unpacked_sizes(data, column))
    columns = [metadata.row_group(group).column(place) for group in range(3) for place in range(3)]  # type: ignore[attr-defined]
    stated = sum(one.total_uncompressed_size for one in columns if one.path_in_schema.split(".")[0] == column)
    headers = stated - sum(sizes)  # the footer counts the pages' headers too
    assert len(sizes) >= 3
    assert 8 * len(sizes) < headers < 700 * len(sizes)  # a header repeats the smallest and the largest text


def test_a_page_that_claims_a_gigabyte(tmp_path: object) -> None:
    import pyarrow
    import pyarrow.parquet

    sink = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table({"text": ["a red hen"] * 9}), sink, use_dictionary=False)
    data = sink.getvalue()
    assert data[4:8:2] == b"\x15\x15"  # two numbers: the page's kind, then its size unpacked, in two bytes
    claimed = data[:7] + b"\x80\x80\x80\x80\x08" + data[9:]
    file = tmp_path / "a.parquet"  # type: ignore[operator]
    file.write_bytes(claimed)
    with pytest.raises(CorpusError, match=r"claims a page of 1,073,741,824 bytes"):
        list(read_documents(file, "text"))


def test_damaged_headers_are_one_kind_of_error() -> None:
    data = written(compression="snappy")
    rng = Random(1)
    refused = 0
    for _ in range(2000):
        damaged = bytearray(data)
        for _ in range(3):
            damaged[rng.randrange(4, 40)] = rng.randrange(256)
        try:
            list(unpacked_sizes(bytes(damaged), "n"))
        except ValueError:
            refused += 1
    assert refused > 50
