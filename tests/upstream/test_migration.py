"""The migration guide, followed word by word on a stack of its own: over, a week, and back."""

import csv
import json
import re
from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
import pytest_asyncio

from sandbox.local import LocalOptions, LocalStack
from tests.support.tree import ROOT
from tests.upstream.test_guide import Upstream
from workers.settings import Settings

CUT = "=====cut====="
GUIDE = ROOT / "docs" / "migration.md"

pytestmark = pytest.mark.slow


@pytest_asyncio.fixture(scope="module")
async def followed(
    temporal_binary: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Upstream, Path, list[str]]]:
    """Give the stack after every `sh` block, its folder of files, and what each block printed."""
    home, folder = tmp_path_factory.mktemp("stack"), tmp_path_factory.mktemp("files")
    blocks = re.findall(
        r"^```sh\n(.*?)^```", GUIDE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    script = f"\necho {CUT}\n".join(blocks).replace("$(mktemp -d)", str(folder))
    async with LocalStack(Settings(home=home), LocalOptions(), lambda _line: None) as stack:
        assert stack.record is not None
        record = stack.record
        upstream = Upstream(record.temporal_address, record.temporal_namespace, home, 900)
        ran = await upstream.run("bash", "-euo", "pipefail", "-c", script)
        assert ran.code == 0, ran.err[-2000:] + ran.out[-2000:]
        yield upstream, folder, ran.out.split(f"{CUT}\n")


def rows(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


async def test_every_block_of_the_guide_does_what_it_says(
    followed: tuple[Upstream, Path, list[str]],
) -> None:
    """The dry run writes nothing, boarding takes all, the week is clean, an order is taken."""
    _, _, said = followed
    assert len(said) == 6
    exported, forecast, boarded, week, ordered, _ = said
    assert exported.startswith("7 loans as of ")
    assert "7 good loans" in forecast
    assert "control row: agrees" in forecast
    assert "loans boarded" not in forecast
    assert "7 loans boarded, 0 known already" in boarded
    assert "the books are intact" in boarded
    for part in (boarded, week):
        assert re.search(r"^clean$", part, re.MULTILINE)
    assert "MIG-late" in week
    assert "retry ordered" in ordered


async def test_the_opening_is_what_the_former_system_says(
    followed: tuple[Upstream, Path, list[str]],
) -> None:
    """The balance of the holder, before anything came from it, is what was paid and paid ahead."""
    _, folder, said = followed
    forecast = dict(re.findall(r"│ (\w+) +│ +([\d.]+) │", said[1]))
    paid = sum(Decimal(text) for name, text in forecast.items() if name.startswith("paid_"))
    (opened,) = re.findall(r"opening/oldbank +│ +([\d.]+)", said[2])
    assert Decimal(opened) == paid + Decimal(forecast["advance"])
    assert len(rows(folder / "portfolio.csv")) == 8


async def test_the_way_back_has_what_happened_since(
    followed: tuple[Upstream, Path, list[str]],
) -> None:
    """All loans stand in the files; the news are the payments and debits after the cut-over."""
    upstream, folder, _ = followed
    back, history = rows(folder / "back.csv"), rows(folder / "back_history.csv")
    assert [row["loan_id"] for row in back][-1] == "TOTAL:USD"
    assert len(back) == 8
    as_of = date.fromisoformat(rows(folder / "portfolio.csv")[0]["as_of"])
    news = [row for row in rows(folder / "news_history.csv") if row["event"] in {"paid", "attempt"}]
    assert news
    assert all(date.fromisoformat(row["on"]) > as_of for row in news)
    assert {row["loan_id"] for row in news} >= {"MIG-current", "MIG-prepaid"}
    assert len(history) > len(rows(folder / "news_history.csv"))
    said = await upstream.run("acquit", "audit", "--json")
    assert json.loads(said.out)["clean"]
