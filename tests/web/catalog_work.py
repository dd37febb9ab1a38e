"""What the tests of the catalog's pages do with it."""

from cvdops.catalog.models import RunbookVersion
from cvdops.catalog.sync import sync
from tests.web.world import World

HOSTILE = "<script>alert(1)</script>\u202eevil" + "x" * 120


def edit(world: World, *changes: tuple[str, str]) -> RunbookVersion:
    """A new version of the deployment runbook, with these texts replaced."""
    file = world.folder / "deployment.md"
    text = file.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    file.write_text(text)
    sync(world.folder)
    return newest()


def newest() -> RunbookVersion:
    version = RunbookVersion.objects.filter(runbook="deployment").first()
    assert version is not None
    return version


def break_it(world: World) -> RunbookVersion:
    """A newest version that cannot be executed."""
    return edit(world, ("rollback=unsay", "rollback=nowhere"), ("1.0.0", "1.1.0"))
