"""Reviews of versions: somebody other than the author has read one and found it right."""

import unicodedata
from collections.abc import Iterable
from uuid import UUID

from django.db import transaction

from cvdops.accounts.models import User
from cvdops.audit.log import record
from cvdops.catalog.models import RunbookVersion, VersionReview
from cvdops.lib.errors import Conflict, Invalid, Problem, Reason, Refused

ACTION = "runbook.review"
LONGEST_COMMENT = 2000  # characters

_OWN = Reason(
    "separation",
    "You wrote this version: nobody reviews their own work.",
    "Ask somebody else who may read this runbook.",
)


def review(user: User, version: RunbookVersion, comment: str) -> VersionReview:
    """Record that this person has read the version and found it right; they are allowed to see it.

    Raises Refused for its author, Conflict for a second review, Invalid for a comment too long.
    """
    if len(comment) > LONGEST_COMMENT:
        message = f"The comment has at most {LONGEST_COMMENT} characters."
        raise Invalid([Problem("comment", message)])
    if _wrote(user, version):
        raise Refused([_OWN])
    with transaction.atomic():
        # Two accounts of one human, or two presses of the button: the second waits here for the first.
        RunbookVersion.objects.select_for_update().only("pk").get(pk=version.pk)
        earlier = version.reviews.filter(reviewer__person=user.person).first()
        if earlier:
            text = f"You reviewed this version already, on {earlier.reviewed_at:%Y-%m-%d}."
            raise Conflict(text, "You have reviewed it")
        made = VersionReview.objects.create(version=version, reviewer=user, comment=comment.strip())
        record(
            user,
            ACTION,
            "runbook",
            version.runbook_id,
            data={"version": version.number, "commit": version.commit, "comment": made.comment},
        )
    return made


def is_author(user: User, version: RunbookVersion) -> bool:
    """Whether this account is named as the author, by name or by e-mail."""
    return bool(_named(version) & _names(user))


def authors(versions: Iterable[RunbookVersion]) -> dict[int, frozenset[UUID]]:
    """By the key of the version, the persons who wrote it, whichever of their accounts is named."""
    named = {version.pk: _named(version) for version in versions}
    if not any(named.values()):
        return {}
    accounts = [(user.person, _names(user)) for user in User.objects.all()]
    return {
        pk: frozenset(person for person, names in accounts if names & wanted)
        for pk, wanted in named.items()
    }


def _wrote(user: User, version: RunbookVersion) -> bool:
    """Whether the version is by this human, under any of their accounts."""
    return user.person in authors([version]).get(version.pk, frozenset())


def _named(version: RunbookVersion) -> frozenset[str]:
    return frozenset({_folded(version.author), _folded(version.author_email)} - {""})


def _names(user: User) -> frozenset[str]:
    return frozenset({_folded(name) for name in (user.username, user.name, user.email)} - {""})


def _folded(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
