"""Jobs on another machine, through the OpenSSH client of this one."""

from cvdops.runners.ssh.address import Address
from cvdops.runners.ssh.transport import SshTransport

__all__ = ["Address", "SshTransport"]
