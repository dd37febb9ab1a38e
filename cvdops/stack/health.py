"""The health check of the web container: exit code 0 while its server answers."""

import os
import sys

from cvdops.stack.portal import answers

PORT = 8000


def main() -> int:
    # A server that does not know the name in the request would refuse it.
    host = os.environ.get("ALLOWED_HOSTS", "localhost").split(",")[0].lstrip(".")
    return 0 if answers(PORT, "/healthz", host) else 1


if __name__ == "__main__":
    sys.exit(main())
