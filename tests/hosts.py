"""A real SSH server as a host of an environment, in the database."""

from pathlib import Path

from django.conf import settings

from cvdops.environments.models import Host
from tests.sshd import Sshd


def introduce(server: Sshd, environment: str, port: int | None = None) -> Host:
    """The host `far` with its key confirmed, at this port: that of the server or of a proxy before it."""
    server.installation(Path(settings.SSH_DIR))
    host = Host.objects.create(
        environment_id=environment,
        name="far",
        transport="ssh",
        address="127.0.0.1",
        port=port or server.port,
        user=server.login.user,
        key="test",
    )
    key = server.key
    host.keys.create(kind=key.kind, key=key.key, fingerprint=key.fingerprint)
    return host
