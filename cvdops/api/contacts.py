"""Whom to reach: the escalation chain, specialised contacts, channels."""

from datetime import datetime
from typing import Annotated

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field

from cvdops.access.marks import person, requires
from cvdops.access.policy import Action
from cvdops.api.asking import Asked, Number, Text
from cvdops.changes import contacts as book
from cvdops.changes.contacts import LENGTHS, MOST, Wanted
from cvdops.environments.models import Contact

router = Router(tags=["contacts"])


class ContactShape(Schema):
    """`place`: in the order of its kind, from 1. `confirmed_at`: when somebody last said that it is right."""

    id: int
    kind: str
    place: int
    name: str
    address: str
    note: str
    confirmed_at: datetime

    @classmethod
    def of(cls, contact: Contact) -> "ContactShape":
        return cls(
            id=contact.pk,
            kind=contact.kind,
            place=contact.order + 1,
            name=contact.name,
            address=contact.address,
            note=contact.note,
            confirmed_at=contact.confirmed_at,
        )


class Contacts(Schema):
    items: list[ContactShape]
    next_cursor: str


class ContactAsked(Asked):
    """As it is to be. `place`: in the order of its kind, from 1; the last one if none is given."""

    name: Annotated[Text, Field(max_length=LENGTHS["name"])]
    address: Annotated[Text, Field(max_length=LENGTHS["address"])]
    note: Annotated[Text, Field(max_length=LENGTHS["note"])] = ""
    place: Annotated[Number, Field(ge=1, le=MOST)] = MOST


class NewContact(ContactAsked):
    kind: Contact.Kind


@router.get("/contacts", response=Contacts, url_name="api-contacts")
@requires(Action.USE_PORTAL)
def contacts(request: HttpRequest) -> Contacts:
    """The escalation chain, in its order, and everybody else to reach."""
    found = Contact.objects.order_by("kind", "order")
    return Contacts(items=[ContactShape.of(one) for one in found], next_cursor="")


@router.get("/contacts/{int:contact_id}", response=ContactShape, url_name="api-contact")
@requires(Action.USE_PORTAL)
def contact(request: HttpRequest, contact_id: int) -> ContactShape:
    """One of them."""
    return ContactShape.of(book.named(contact_id))


@router.post("/contacts", response={201: ContactShape}, url_name="api-contacts")
@requires(Action.EDIT_CONTACTS, "POST")
def add(request: HttpRequest, asked: NewContact) -> Status[ContactShape]:
    """Write somebody down."""
    return Status(201, ContactShape.of(book.write(person(request), Wanted(**asked.dict()))))


@router.post(
    "/contacts/{int:contact_id}/change", response=ContactShape, url_name="api-contact-change"
)
@requires(Action.EDIT_CONTACTS, "POST")
def change(request: HttpRequest, contact_id: int, asked: ContactAsked) -> ContactShape:
    """Change one of them; its kind stays."""
    kind = book.named(contact_id).kind
    return ContactShape.of(book.write(person(request), Wanted(kind, **asked.dict()), contact_id))


@router.post(
    "/contacts/{int:contact_id}/remove", response={204: None}, url_name="api-contact-remove"
)
@requires(Action.EDIT_CONTACTS, "POST")
def remove(request: HttpRequest, contact_id: int) -> Status[None]:
    """Take one away; the last one of the escalation chain stays."""
    book.remove(person(request), contact_id)
    return Status(204, None)
