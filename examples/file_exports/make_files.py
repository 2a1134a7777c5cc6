"""Make the exports of a small chain of stores: CSV and Excel files, the same each time."""

import argparse
import csv
import gzip
from datetime import date, timedelta
from pathlib import Path
from typing import IO

from openpyxl import Workbook

_MONTHS = [date(2024, month, 1) for month in range(1, 7)]
_STORES = ("north", "south")
_TILL_ERROR = "2024-03"


def main() -> None:
    """Write the files below a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("data/raw/exports"))
    folder: Path = parser.parse_args().folder
    for month in _MONTHS:
        for store in _STORES:
            _receipts(_file(folder, f"receipts/{month:%Y-%m}/{store}.csv"), month, store)
        _targets(_file(folder, f"targets/{month:%Y-%m}.xlsx"), month)
        _visitors(_file(folder, f"visitors/{month:%Y-%m}.tsv.gz"), month)
    _orders(_file(folder, "orders.csv"))
    _stores(_file(folder, "stores.xlsx"))
    print(f"{sum(path.is_file() for path in folder.rglob('*'))} files below {folder}")


def _file(folder: Path, name: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _days(month: date) -> list[date]:
    after = month + timedelta(days=31)
    return [month + timedelta(days=n) for n in range((after.replace(day=1) - month).days)]


def _receipts(path: Path, month: date, store: str) -> None:
    """One file a store and month; in one of them the till has written an O for a zero."""
    first = month.toordinal() * 1000 + _STORES.index(store) * 500
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["Receipt No.", "paid at", "amount", "article"])
        for n, day in enumerate(day for day in _days(month) for _ in range(3)):
            is_bad = f"{month:%Y-%m}" == _TILL_ERROR and store == "south" and n == 41
            amount = "12.5O" if is_bad else f"{5 + n * 0.75:.2f}"
            rows.writerow([first + n, f"{day} {8 + n % 12:02}:15:00", amount, 'Tea, "Earl Grey"'])


def _orders(path: Path) -> None:
    """All months in one file, with dates and an encoding as an old program writes them."""
    with path.open("w", encoding="latin-1", newline="") as file:
        rows = csv.writer(file, delimiter=";")
        rows.writerow(["id", "day", "city", "pieces"])
        days = [day for month in _MONTHS for day in _days(month)]
        for n, day in enumerate(days):
            city = ("Köln", "Paris", "NA")[n % 3]
            rows.writerow([f"{n:06}", f"{day:%d.%m.%Y}", city, n % 7 + 1])


def _visitors(path: Path, month: date) -> None:
    file: IO[str]
    with gzip.open(path, "wt", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, delimiter="\t")
        rows.writerow(["day", "store", "visitors"])
        for day in _days(month):
            rows.writerows([day, store, day.day * 10 + len(store)] for store in _STORES)


def _targets(path: Path, month: date) -> None:
    """A sheet as people make them: a title, a blank row, the table, and a note beside it."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet["B1"], sheet["F4"] = f"Targets of {month:%B %Y}", "not final"
    rows = [("Store", "Target", "Growth %"), *((s, 4000 + month.month * 10, 2.5) for s in _STORES)]
    for at, row in enumerate(rows, 3):
        for column, value in zip("BCD", row, strict=True):
            sheet[f"{column}{at}"] = value
    book.save(path)


def _stores(path: Path) -> None:
    book = Workbook()
    book.worksheets[0].title = "Notes"
    sheet = book.create_sheet("Stores")
    for row in [("store", "opened", "manager"), ("north", date(2019, 5, 1), "Ada")]:
        sheet.append(row)
    sheet.append(("south", date(2021, 9, 1), None))
    book.save(path)


if __name__ == "__main__":
    main()
