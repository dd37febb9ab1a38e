"""Values for a spreadsheet: what a cell says is text, whatever program opens the file."""

import csv
import io
from collections.abc import Iterable

from cvdops.lib.visible import visible

# What makes a formula of a cell, in both widths that spreadsheets know.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def cell(value: object) -> str:
    """The value as text that no spreadsheet computes, with characters that would not be seen made visible."""
    text = "" if value is None else str(value)
    return f"'{visible(text)}" if text.lstrip(" ").startswith(_FORMULA) else visible(text)


def row(values: Iterable[object]) -> str:
    """A line of CSV (RFC 4180), every cell in quotes."""
    line = io.StringIO()
    csv.writer(line, quoting=csv.QUOTE_ALL).writerow([cell(value) for value in values])
    return line.getvalue()
