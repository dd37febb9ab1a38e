"""The commands that need neither a path nor a declaration: those of the shell, and those of every system."""

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
    | {"sudo", "hostname", "seq", "sha256sum", "tar", "gzip", "gunzip", "egrep", "fgrep", "pgrep"}
)
