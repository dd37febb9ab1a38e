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


def test_no_worker_loads_the_pages() -> None:
    """To ask Django for one address loads all of them, and the API: so only these two ask."""
    above = {PROJECT / "cvdops" / name for name in ("web", "api", "urls.py")}
    below = [
        path
        for path in (PROJECT / "cvdops").rglob("*.py")
        if above.isdisjoint({path, *path.parents}) and "django.urls" in path.read_text()
    ]
    assert below == []
