"""Whether a password is right: the one place that looks at it, as often as tries allow."""

from dataclasses import dataclass

from django.contrib.auth import authenticate
from django.views.decorators.debug import sensitive_variables

from cvdops.accounts import tries
from cvdops.accounts.models import User
from cvdops.accounts.tries import Wait

LONGEST = 1000  # characters; nobody types more, and nothing longer is worth hashing


@dataclass(frozen=True, slots=True)
class Answer:
    """Whose password it is; or nobody's; or it was not looked at because one has to wait."""

    user: User | None = None
    wait: Wait | None = None

    @property
    def problem(self) -> str:
        """What to tell. It is the same for names that exist and for those that do not."""
        if self.wait:
            return (
                "Too many wrong passwords for this name, or from where you are. "
                f"Wait {_duration(self.wait.seconds)}, then try again."
            )
        return "" if self.user else "This user name and password do not belong together."


@sensitive_variables("password")
def check(username: str, password: str, address: str) -> Answer:
    """Ask for an active account. It takes as long for a name that nobody has."""
    if wait := tries.take(username, address):
        return Answer(wait=wait)
    found = authenticate(username=username, password=password[:LONGEST])
    if not isinstance(found, User):
        return Answer()
    tries.succeeded(found, address)
    return Answer(found)


def _duration(seconds: int) -> str:
    if seconds < 90:
        return f"{seconds} second{'' if seconds == 1 else 's'}"
    return f"{-(-seconds // 60)} minutes"
