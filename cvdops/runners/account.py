"""The user on this machine that the jobs run as."""

import os
import pwd
from functools import cache

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@cache
def account() -> dict[str, str]:
    """What a login would set for the user that the jobs run as."""
    base = {"PATH": PATH, "LANG": "C.UTF-8"}
    try:
        user = pwd.getpwuid(os.geteuid())
    except KeyError:
        return base
    return base | {"HOME": user.pw_dir, "USER": user.pw_name, "LOGNAME": user.pw_name}
