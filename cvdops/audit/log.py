"""The one way to write to the audit log."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from cvdops.accounts.models import User
from cvdops.audit.models import AuditEntry

_address: ContextVar[str | None] = ContextVar("audit_address", default=None)
_token: ContextVar[int | None] = ContextVar("audit_token", default=None)


@contextmanager
def from_address(address: str | None) -> Iterator[None]:
    """Entries written inside carry the network address that the request came from."""
    token = _address.set(address)
    try:
        yield
    finally:
        _address.reset(token)


@contextmanager
def by_token(token: int | None) -> Iterator[None]:
    """Entries written inside name the API token (its number) by which somebody asked; None: by none."""
    before = _token.set(token)
    try:
        yield
    finally:
        _token.reset(before)


def record(
    actor: User | None,
    action: str,
    subject: str,
    subject_id: object,
    *,
    allowed: bool = True,
    data: Mapping[str, object] | None = None,
) -> None:
    """Append an entry. Call it inside the transaction of what it records."""
    token = _token.get()
    named = {} if token is None else {"token": token}
    AuditEntry.objects.create(
        actor=actor,
        action=action,
        subject=subject,
        subject_id=str(subject_id),
        allowed=allowed,
        data={**(data or {}), **named},
        address=_address.get(),
    )
