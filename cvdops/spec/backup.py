"""`backup:` of the front matter: which backup a runbook asks for before it starts, and how recent. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from cvdops.spec.attributes import BadValueError, seconds
from cvdops.spec.slugs import SLUG

LONGEST = 31 * 86_400.0  # seconds
EXAMPLE = "{runbook: backup-restore, procedures: [backup-database], within: 24h}"


@dataclass(frozen=True, slots=True)
class Backup:
    """An execution of one of these procedures, any where none is named, that succeeded so recently."""

    runbook: str
    procedures: tuple[str, ...]
    within: timedelta


def asked(metadata: Mapping[str, object]) -> Backup | None:
    """The backup that the document asks for; None if it asks for none, or in a way that is wrong."""
    value = metadata.get("backup")
    if not isinstance(value, dict) or why_not(value):
        return None
    within = timedelta(seconds=seconds(str(value["within"]), LONGEST))
    return Backup(str(value["runbook"]), tuple(value.get("procedures", ())), within)


def why_not(value: object) -> str:
    """What the value has to be, where it is something else."""
    if not isinstance(value, dict) or not {"runbook", "within"} <= value.keys():
        return f"a mapping such as {EXAMPLE}"
    procedures = value.get("procedures", [])
    if value.keys() - {"runbook", "procedures", "within"} or not isinstance(procedures, list):
        return f"a mapping such as {EXAMPLE}"
    if not all(isinstance(n, str) and SLUG.fullmatch(n) for n in (value["runbook"], *procedures)):
        return f"the ids of a runbook and of its procedures, such as {EXAMPLE}"
    try:
        seconds(str(value["within"]), LONGEST)
    except BadValueError as error:
        return f"within {error}, such as {EXAMPLE}"
    return ""
