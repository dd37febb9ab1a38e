"""The commands that runbooks declare, and those that need no declaration: the shell's and every system's."""

from collections.abc import Mapping

BUILTINS = frozenset(
    {
        ".",
        ":",
        "alias",
        "bg",
        "break",
        "builtin",
        "cd",
        "command",
        "continue",
        "declare",
        "dirs",
        "echo",
    }
    | {
        "eval",
        "exec",
        "exit",
        "export",
        "false",
        "fg",
        "getopts",
        "hash",
        "jobs",
        "kill",
        "let",
        "local",
    }
    | {
        "mapfile",
        "popd",
        "printf",
        "pushd",
        "pwd",
        "read",
        "readarray",
        "readonly",
        "return",
        "set",
    }
    | {
        "shift",
        "shopt",
        "source",
        "test",
        "times",
        "trap",
        "true",
        "type",
        "typeset",
        "ulimit",
        "umask",
    }
    | {"unalias", "unset", "wait"}
)
POSIX = frozenset(
    {
        "awk",
        "basename",
        "cat",
        "chgrp",
        "chmod",
        "chown",
        "cksum",
        "cmp",
        "comm",
        "cp",
        "cut",
        "date",
        "dd",
    }
    | {
        "df",
        "diff",
        "dirname",
        "du",
        "env",
        "expr",
        "find",
        "fold",
        "getconf",
        "grep",
        "head",
        "id",
        "ln",
    }
    | {
        "join",
        "logger",
        "logname",
        "ls",
        "mkdir",
        "mkfifo",
        "mktemp",
        "mv",
        "nice",
        "nl",
        "nohup",
        "od",
    }
    | {
        "paste",
        "ps",
        "rm",
        "rmdir",
        "sed",
        "sh",
        "sleep",
        "sort",
        "split",
        "stat",
        "stty",
        "sync",
        "tail",
    }
    | {
        "tee",
        "timeout",
        "touch",
        "tr",
        "tty",
        "uname",
        "uniq",
        "wc",
        "who",
        "whoami",
        "xargs",
        "bash",
    }
    | {
        "sudo",
        "hostname",
        "seq",
        "sha256sum",
        "tar",
        "gzip",
        "gunzip",
        "nproc",
        "realpath",
        "readlink",
        "truncate",
        "base64",
        "md5sum",
        "install",
        "printenv",
        "egrep",
        "fgrep",
        "pgrep",
    }
)


def declared(metadata: Mapping[str, object]) -> frozenset[str]:
    """The commands of `tools:`, without what follows them, such as a version."""
    tools = metadata.get("tools")
    if not isinstance(tools, list):
        return frozenset()
    # `true` without quotes is no text in YAML; it needs no declaration anyway.
    return frozenset(t.split()[0] for t in tools if isinstance(t, str) and t.strip())
