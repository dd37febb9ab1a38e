"""Runs git where nothing of a repository, an account or the machine can make it do anything else.

The arguments are ours, the environment is built from nothing, and no command that is used here checks
out files or runs hooks, filters or programs that a configuration names. What a command may write and how
long it may take is bounded; whatever it has started ends with it.
"""

import os
import shlex
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

MOST = 64_000_000  # bytes that a command may answer
_UNIT = 512  # bytes, of `ulimit -f`
_SAID = 20_000  # bytes of what git says about a failure that are looked at

_SETTINGS = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.attributesFile=/dev/null",
    "core.bigFileThreshold=2m",  # larger ones pass through and never lie in memory
    "core.quotePath=true",
    "protocol.ext.allow=never",
    "transfer.fsckObjects=true",
    "fetch.unpackLimit=1",
    "fetch.writeCommitGraph=false",
    "fetch.recurseSubmodules=false",
    "submodule.recurse=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "http.followRedirects=false",
    "http.lowSpeedLimit=1000",
    "http.lowSpeedTime=10",
    "log.showSignature=false",  # would run gpg.program
    "log.mailmap=false",
    "i18n.logOutputEncoding=UTF-8",
    "advice.detachedHead=false",
    # Only objects are read: what an owner may slip into his configuration is not used.
    "safe.directory=*",
)
_SSH = ("-o", "BatchMode=yes", "-o", "ConnectTimeout=5", "-o", "ServerAliveInterval=5")


class GitFailed(Exception):
    """A command ended with an error. The text is what git said, made harmless."""


class TookTooLong(GitFailed):
    """The command was ended because the time was up."""


class TooLarge(GitFailed):
    """The command was ended because it wrote more than it may."""


@dataclass(frozen=True, slots=True)
class Git:
    """git on one repository. `deadline` is a time of `time.monotonic()`.

    `protocol` is the only one by which it may reach others; `ssh` the command for that. The files of
    `held` stay open as long as git or a program that it started runs, even when we are killed.
    """

    directory: Path
    deadline: float
    protocol: str = "none"
    ssh: tuple[str, ...] = ("ssh",)
    held: tuple[int, ...] = ()

    def run(self, *arguments: str, given: bytes = b"", most: int = MOST) -> bytes:
        """What the command answers. Raises GitFailed, TookTooLong, TooLarge."""
        return self._run([f"--git-dir={self.directory}", *arguments], given, most)

    def run_in(self, folder: Path, *arguments: str) -> bytes:
        """The same for the repository around a folder."""
        return self._run(["-C", str(folder), *arguments], b"", MOST)

    def _run(self, arguments: list[str], given: bytes, most: int) -> bytes:
        if (program := shutil.which("git")) is None:
            raise GitFailed("git is missing: install it, on Debian with 'apt install git'.")
        settings = [word for setting in _SETTINGS for word in ("-c", setting)]
        # The shell only sets the limit, and then is git.
        limit = ["/bin/sh", "-c", f'ulimit -f {most // _UNIT + 1} && exec "$0" "$@"']
        with (
            tempfile.TemporaryFile() as stdin,
            tempfile.TemporaryFile() as stdout,
            tempfile.TemporaryFile() as stderr,
        ):
            stdin.write(given)
            stdin.seek(0)
            process = subprocess.Popen(
                [*limit, program, "--no-pager", "--no-replace-objects", *settings, *arguments],
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                env=self._environment(),
                pass_fds=self.held,
                start_new_session=True,
            )
            status = self._wait(process)
            stderr.seek(0)
            _judge(status, stderr.read(_SAID).decode("utf-8", "replace"))
            stdout.seek(0)
            return stdout.read()

    def _wait(self, process: "subprocess.Popen[bytes]") -> int:
        try:
            return process.wait(max(self.deadline - time.monotonic(), 0.01))
        except subprocess.TimeoutExpired:
            raise TookTooLong("The time was up.") from None
        finally:
            if (
                process.poll() is None
            ):  # not collected yet, so the number is still that of its group
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()

    def _environment(self) -> dict[str, str]:
        inherited = {n: os.environ[n] for n in ("PATH", "HOME", "SSH_AUTH_SOCK") if n in os.environ}
        program, *rest = self.ssh
        # The first mention of an option counts: whoever sets the command may choose how host keys are
        # checked, but not that somebody is asked.
        command = [program, *_SSH, *rest, "-o", "StrictHostKeyChecking=yes"]
        return inherited | {
            "LC_ALL": "C",
            "GIT_SSH_COMMAND": shlex.join(command),
            "GIT_SSH_VARIANT": "ssh",
            "GIT_ALLOW_PROTOCOL": self.protocol,
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_OPTIONAL_LOCKS": "0",
        }


def _judge(status: int, said: str) -> None:
    """Raises what the exit status and the words of git mean."""
    if status == 0:
        return
    if status == -signal.SIGXFSZ or "File too large" in said or _was_killed(said):
        raise TooLarge("It is larger than it may be.")
    text = "\n".join("".join(c if c.isprintable() else " " for c in x) for x in said.splitlines())
    raise GitFailed(text.strip() or f"git ended with {status}.")


def _was_killed(said: str) -> bool:
    """Whether the program that unpacks ended without a word of its own: by the limit, then."""
    complaints = [x for x in said.splitlines() if x.startswith(("error:", "fatal:"))]
    return complaints == ["fatal: fetch-pack: invalid index-pack output"]
