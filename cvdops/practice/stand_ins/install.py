"""Writes the practice CVD's bin folder: the stand-ins, and what this machine has not got itself."""

import shutil
import sys
from pathlib import Path
from shlex import quote

from cvdops.practice.layout import Layout

STANDARD_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_PROJECT = Path(__file__).resolve().parents[3]
_BOOT = (
    "import signal, sys; signal.signal(signal.SIGPIPE, signal.SIG_DFL); "
    "sys.path.insert(0, sys.argv[1]); "
    "from cvdops.practice.stand_ins.{module} import main; sys.exit(main(sys.argv[2], sys.argv[3:]))"
)
# The only thing it does is to drop its own options: everybody is allowed everything here.
_SUDO = """\
#!/bin/sh
while [ $# -gt 0 ]; do
  case $1 in
    --) shift; break ;;
    -u|-g|-nu|-Eu|-Hu|--user|--group)
      shift
      [ $# -gt 0 ] || { echo "sudo: a name is missing after -u" >&2; exit 1; }
      shift ;;
    -v|-k|-l|--validate|--list) exit 0 ;;
    -*) shift ;;
    *) break ;;
  esac
done
[ $# -gt 0 ] || { echo "usage: sudo [-n] [-E] [-u USER] [--] COMMAND" >&2; exit 1; }
case $1 in *=*) exec env "$@" ;; esac
exec "$@"
"""
# Git refuses a repository that belongs to somebody else, and a person's own hooks have no place here.
_GIT = """\
#!/bin/sh
GIT_CONFIG_GLOBAL={settings} GIT_CONFIG_NOSYSTEM=1 exec {git} "$@"
"""
_GIT_SETTINGS = """\
[safe]
\tdirectory = "{app}"
\tdirectory = "{origin}"
[core]
\thooksPath = /dev/null
[advice]
\tdetachedHead = false
"""
_ALWAYS = {"systemctl": "systemctl", "journalctl": "journalctl"}
_IF_MISSING = {"sqlite3": "sqlite_shell", "curl": "curl", "ss": "ss", "free": "free", "ps": "ps"}
_ELSEWHERE = ("python3", "sqlite3", "curl")  # perhaps outside the standard folders


def write_all(layout: Layout) -> None:
    """(Re)write them: Python and the project may have moved since the last start."""
    settings = layout.bin / ".gitconfig"
    app, origin = (_git_quoted(path) for path in (layout.app, layout.origin))
    _write(settings, _GIT_SETTINGS.format(app=app, origin=origin))
    git = _found("git") or "git"
    scripts = {"sudo": _SUDO, "git": _GIT.format(settings=quote(str(settings)), git=quote(git))}
    scripts |= {name: stand_in(layout.root, module) for name, module in _ALWAYS.items()}
    for name, module in _IF_MISSING.items():
        if not shutil.which(name, path=STANDARD_PATH):
            scripts[name] = stand_in(layout.root, module)
    for name in _ELSEWHERE:
        if not shutil.which(name, path=STANDARD_PATH):
            real = sys.executable if name == "python3" else shutil.which(name)
            if real:
                scripts[name] = f'#!/bin/sh\nexec {quote(str(Path(real).absolute()))} "$@"\n'
    for name, script in scripts.items():
        _write(layout.bin / name, script)


def stand_in(root: Path, module: str) -> str:
    """A shell script that runs one of our modules; nothing of the caller's Python gets in."""
    return f'#!/bin/sh\nexec {" ".join(quote(word) for word in command(root, module))} "$@"\n'


def command(root: Path, module: str) -> list[str]:
    """The argument list that runs one of our modules."""
    boot = _BOOT.format(module=module)
    return [sys.executable, "-I", "-S", "-B", "-c", boot, str(_PROJECT), str(root)]


def _found(name: str) -> str | None:
    return shutil.which(name, path=STANDARD_PATH) or shutil.which(name)


def _git_quoted(path: Path) -> str:
    return str(path).replace("\\", "\\\\").replace('"', '\\"')


def _write(path: Path, script: str) -> None:
    """At once: a step may be calling it."""
    if path.exists() and path.read_text() == script:
        return
    part = path.with_name(f"{path.name}.part")
    part.write_text(script)
    part.chmod(0o755)
    part.replace(path)
