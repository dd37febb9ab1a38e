"""Whom to reach: written and taken away by those who change environments. Looked through by routine."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models.functions import Now

from cvdops.access.policy import Action, can
from cvdops.accounts.models import User
from cvdops.audit.log import record
from cvdops.changes.services import mark, one_at_a_time
from cvdops.environments.models import Contact
from cvdops.lib.errors import MOVED_ON, Conflict, Invalid, NotFound, Problem

MOST = 40  # of a kind
LENGTHS = {"name": 80, "address": 200, "note": 200}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A contact as it is typed. `place`: in the order of its kind, from 1; beyond the last one is the last."""

    kind: str
    name: str
    address: str
    note: str = ""
    place: int = MOST

    @classmethod
    def of(cls, contact: Contact) -> "Wanted":
        """As it is stored."""
        said = (contact.kind, contact.name, contact.address, contact.note)
        return cls(*said, place=contact.order + 1)

    @property
    def mark(self) -> str:
        """A short name of it: a form carries that of what it was made from."""
        return mark(asdict(self))


def named(pk: int) -> Contact:
    """Raises NotFound."""
    found = Contact.objects.filter(pk=pk).first()
    if found is None:
        raise NotFound("contact")
    return found


def write(user: User, wanted: Wanted, pk: int | None = None, seen: str = "") -> Contact:
    """Add one, or change it: its kind stays. It counts as looked through.

    `seen` is the mark of what the person had before them. Raises Refused, NotFound, Invalid, Conflict.
    """
    can(user, Action.EDIT_CONTACTS).enforce()
    with transaction.atomic():
        one_at_a_time()
        contact = Contact(kind=wanted.kind) if pk is None else named(pk)
        before = Wanted.of(contact) if pk is not None else None
        if before and seen and seen != before.mark:
            text = f"{contact.name} is not what it was when this was written. Look at it again."
            raise Conflict(text, MOVED_ON)
        others = [c for c in Contact.objects.filter(kind=contact.kind) if c.pk != pk]
        if problems := list(_problems(contact.kind, wanted, others)):
            raise Invalid(problems)
        for field in LENGTHS:
            setattr(contact, field, _plain(getattr(wanted, field)))
        contact.order = len(others)
        contact.save()
        at = max(wanted.place, 1) - 1
        _number([*others[:at], contact, *others[at:]])
        Contact.objects.filter(pk=contact.pk).update(confirmed_at=Now(), confirmed_by=user)
        contact.refresh_from_db()
        data = {"before": asdict(before) if before else None, "after": asdict(Wanted.of(contact))}
        record(user, Action.EDIT_CONTACTS, "contact", contact.pk, data={"verb": "write", **data})
    return contact


def remove(user: User, pk: int) -> Contact:
    """Take one away. Raises Refused, NotFound, Conflict."""
    can(user, Action.EDIT_CONTACTS).enforce()
    with transaction.atomic():
        one_at_a_time()
        contact = named(pk)
        others = [c for c in Contact.objects.filter(kind=contact.kind) if c.pk != pk]
        if contact.kind == Contact.Kind.ESCALATION and not others:
            raise Conflict(
                f"{contact.name} is the last of the escalation chain: what nobody decides would go up "
                "to nobody. Add another one first."
            )
        Contact.objects.filter(pk=pk).delete()
        _number(others)
        data = {"verb": "remove", "before": asdict(Wanted.of(contact))}
        record(user, Action.EDIT_CONTACTS, "contact", pk, data=data)
    return contact


def _problems(kind: str, wanted: Wanted, others: Sequence[Contact]) -> Iterator[Problem]:
    if kind not in Contact.Kind.values:
        yield Problem("kind", f"Choose one of {', '.join(Contact.Kind.values)}.")
    for field, length in LENGTHS.items():
        text = _plain(getattr(wanted, field))
        if not text and field != "note":
            yield Problem(field, f"Give it {_NEEDED[field]}.")
        elif len(text) > length or not text.isprintable():
            yield Problem(field, f"At most {length} letters, and nothing that cannot be seen.")
    if any(other.name == _plain(wanted.name) for other in others):
        yield Problem("name", "There is one of this name already.")
    if len(others) >= MOST:
        yield Problem("name", f"There are {MOST} already: take one away first.")
    if (address := _plain(wanted.address)) and (why := _wrong(kind, address)):
        yield Problem("address", why)


def _wrong(kind: str, address: str) -> str:
    """Why nobody is reached there; empty if it looks right."""
    if kind == Contact.Kind.CHANNEL:
        foreign = "://" in address and not address.startswith("https://")
        return "A link begins with https://." if foreign else ""
    try:
        validate_email(address)
    except ValidationError:
        return "This is no e-mail address: messages would reach nobody."
    return ""


def _number(contacts: Sequence[Contact]) -> None:
    """Store their order."""
    for order, contact in enumerate(contacts):
        if contact.order != order:
            Contact.objects.filter(pk=contact.pk).update(order=order)


def _plain(text: str) -> str:
    return " ".join(text.split())


_NEEDED: Mapping[str, str] = {"name": "a name", "address": "an address"}
