"""Rules about the project itself."""

from pathlib import Path

import pytest
from django.core.management import call_command

PROJECT = Path(__file__).parent.parent
LONGEST_MODULE = 400


def test_no_module_is_too_long() -> None:
    modules = [p for p in (PROJECT / "cvdops").rglob("*.py") if "migrations" not in p.parts]
    long = {m.name for m in modules if len(m.read_text().splitlines()) > LONGEST_MODULE}
    assert long == set()


@pytest.mark.django_db
def test_every_change_of_a_model_has_its_migration() -> None:
    call_command("makemigrations", check=True, dry_run=True)
