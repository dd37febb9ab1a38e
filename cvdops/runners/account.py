"""The user on this machine that the jobs run as."""

import os
import pwd
from functools import cache

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@cache
def account() -> dict[str, str]:
    """What a login would set for the user that the jobs run as."""
    base, user = {"PATH": PATH, "LANG": "C.UTF-8"}, _user()
    if user is None:
        return base
    return base | {"HOME": user.pw_dir, "USER": user.pw_name, "LOGNAME": user.pw_name}


@cache
def shell() -> str:
    """The shell of that user's logins, as bash would find it."""
    user = _user()
    return (user.pw_shell if user is not None else "") or "/bin/sh"


def _user() -> pwd.struct_passwd | None:
    try:
        return pwd.getpwuid(os.geteuid())
    except KeyError:
        return None
