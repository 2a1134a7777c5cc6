"""Make the monthly exports of a small wholesaler, the same each time."""

import argparse
import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

_MONTHS = [f"2024-{month:02d}" for month in range(1, 7)]
# Each month's price; none where the article is not on the list.
_PRICES = {
    "green tea": ["4.20", "4.20", "4.90", "4.90", "5.10", "5.10"],
    "black tea": ["3.80"] * 6,
    "salt": ["0.90", "0.90", "0.95", "", "", "1.10"],
}
_CORRECTED = {"green tea": ["4.20", "4.20", "4.60", "4.90", "5.10", "5.10"]}


def main() -> None:
    """Write the files below a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("data/raw/prices"))
    parser.add_argument("--corrected", action="store_true", help="March as it should have been")
    asked = parser.parse_args()
    prices = _PRICES | (_CORRECTED if asked.corrected else {})
    for at, month in enumerate(_MONTHS):
        on_list = [(article, of_month[at]) for article, of_month in prices.items() if of_month[at]]
        rows = [(article, price, "100 g") for article, price in on_list]
        _write(asked.folder / "articles" / f"{month}.csv", ["article", "price", "unit"], rows)
        stock = [
            (f"{month}-{day:02d}", article, day * 10 + len(article))
            for day in (1, 15)
            for article, _ in on_list
        ]
        _write(asked.folder / "stock" / f"{month}.csv", ["day", "article", "pcs"], stock)
    print(f"{2 * len(_MONTHS)} files below {asked.folder}")


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)


if __name__ == "__main__":
    main()
