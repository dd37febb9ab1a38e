"""The one way to write to the audit log."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from cvdops.accounts.models import User
from cvdops.audit.models import AuditEntry

_address: ContextVar[str | None] = ContextVar("audit_address", default=None)


@contextmanager
def from_address(address: str | None) -> Iterator[None]:
    """Entries written inside carry the network address that the request came from."""
    token = _address.set(address)
    try:
        yield
    finally:
        _address.reset(token)


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
    AuditEntry.objects.create(
        actor=actor,
        action=action,
        subject=subject,
        subject_id=str(subject_id),
        allowed=allowed,
        data=dict(data or {}),
        address=_address.get(),
    )
