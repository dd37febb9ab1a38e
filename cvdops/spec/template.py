"""The text of a new runbook, made from the template in the documentation."""

import re
from datetime import date, timedelta
from pathlib import Path

from cvdops.spec.metadata import Metadata, identity

PATH = Path(__file__).parents[2] / "docs" / "template.md"
_REVIEW = timedelta(days=90)
_NO_TEXT = {"true", "false", "null"}  # to YAML, without quotes


def new(name: str, today: date) -> str:
    """The template with the id, the title and the dates of a file of this name. Raises OSError."""
    key = identity(Metadata(), name)
    changes = {
        "id: new-runbook": f'id: "{key}"' if key in _NO_TEXT else f"id: {key}",
        "# New runbook": f"# {key.replace('-', ' ').capitalize()}",
    }
    text = PATH.read_text(encoding="utf-8")
    for old, written in changes.items():
        text = text.replace(f"\n{old}\n", f"\n{written}\n", 1)
    text = re.sub(r"(?m)^(last_updated): .*", rf"\1: {today}", text, count=1)
    return re.sub(r"(?m)^(next_review): .*", rf"\1: {today + _REVIEW}", text, count=1)
