"""The application's Git repository: one commit and one tag for each release, always the same ones."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

RELEASES = Path(__file__).parent / "releases"
_SUFFIX = ".template"  # keeps the application's files out of what is linted and imported here
_AUTHOR = "CVD Development <dev-team@company.com>"
# version, seconds since 1970, message. The oldest has no tag: it is what HEAD~1 of v1.0.0 names.
_HISTORY = (
    ("v0.9.0", 1_733_047_200, "Try the application with three machines"),
    ("v1.0.0", 1_735_725_600, "Release the first version for everybody"),
    ("v1.0.1", 1_738_404_000, "Page the service orders, note device events, harden the headers"),
    ("v1.0.2", 1_740_823_200, "Archive old service orders"),
)
FIRST = _HISTORY[1][0]
# A person's own Git settings must not change what comes out, and no hook may run.
_FIXED = {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}
_ARGUMENTS = ("-c", "core.hooksPath=/dev/null", "-c", "init.defaultBranch=main")


def publish(origin: Path) -> None:
    """Make the bare repository with every release and its tag."""
    _git("init", "--quiet", "--bare", "--template=", str(origin))
    _git("--git-dir", str(origin), "fast-import", "--quiet", given=b"".join(_stream()))


def check_out(work_tree: Path, origin: Path) -> None:
    """Clone it and check out the first release."""
    _git("clone", "--quiet", "--template=", "--no-checkout", str(origin), str(work_tree))
    _git("-C", str(work_tree), "-c", "advice.detachedHead=false", "checkout", "--quiet", FIRST)


def point_to(work_tree: Path, origin: Path) -> None:
    """Tell the clone where its origin is now: the whole site may have been moved."""
    _git("config", "--file", str(work_tree / ".git" / "config"), "remote.origin.url", str(origin))


def _git(*arguments: str, given: bytes = b"") -> None:
    """Run to the end; CalledProcessError with Git's own words when it fails."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    subprocess.run(
        [shutil.which("git") or "git", *_ARGUMENTS, *arguments],
        input=given,
        capture_output=True,
        check=True,
        env={**inherited, **_FIXED},
    )


def _stream() -> Iterator[bytes]:
    """All releases for `git fast-import`: each holds the files of the one before, and its own."""
    for mark, (version, when, message) in enumerate(_HISTORY, start=1):
        who = f"{_AUTHOR} {when} +0000"
        yield f"commit refs/heads/main\nmark :{mark}\ncommitter {who}\n".encode()
        yield _data(message.encode())
        for name, content in _files(RELEASES / version):
            yield f"M 100644 inline {name}\n".encode() + _data(content)
        if mark == 1:
            continue
        yield f"tag {version}\nfrom :{mark}\ntagger {who}\n".encode()
        yield _data(f"CVD {version}".encode())


def _files(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            name = path.relative_to(folder).as_posix().removesuffix(_SUFFIX)
            yield (".gitignore" if name == "gitignore" else name), path.read_bytes()


def _data(content: bytes) -> bytes:
    return b"data %d\n%b\n" % (len(content), content)
