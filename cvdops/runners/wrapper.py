"""The shell texts around a step: the claim, the result, the session that is carried over.

Two shells: the outer one claims the job directory and records the exit code, so that it is known also
of a script that replaces itself (`exec`), sets its own EXIT trap, or kills itself. It uses builtins only.
"""

# $1 job directory, $2 script, $3 interpreter, $4 prelude (empty for sh), $5 working directory
OUTER = """\
umask 077
mkdir "$1" 2>/dev/null || exit 97
: > "$1/out"
read -r stat < /proc/self/stat
printf '%s\\n' "$stat" > "$1/pid"
if ! cd -- "$5" 2>/dev/null; then
  printf 'The working directory %s is gone or closed to this user.\\n' "$5" >> "$1/out"
  rc=1
elif [ "$3" = sh ]; then
  CVDOPS_JOB=$1 sh "$2" >> "$1/out" 2>&1 < /dev/null
  rc=$?
else
  CVDOPS_JOB=$1 BASH_ENV=$4 "$3" --norc --noprofile "$2" >> "$1/out" 2>&1 < /dev/null
  rc=$?
fi
printf '%s\\n' "$rc" > "$1/rc"
"""

# Read by bash before the script, so that line numbers in its messages are the script's own. The dump
# is one builtin: a loop over all names costs a millisecond more.
PRELUDE = """\
unset BASH_ENV
__cvdops_job=$CVDOPS_JOB
unset CVDOPS_JOB
trap '__cvdops_rc=$?
set +eu
declare -p > "$__cvdops_job/vars" 2>/dev/null
pwd -P > "$__cvdops_job/cwd" 2>/dev/null
exit "$__cvdops_rc"' EXIT
"""
STRICT = "set -euo pipefail\n"

# sh has no such list: all variables are exported, and the trap prints the environment.
SH_HEAD = (
    "__cvdops_job=$CVDOPS_JOB; unset CVDOPS_JOB; set -a; "
    'trap \'__cvdops_rc=$?; set +eu; env -0 > "$__cvdops_job/vars" 2>/dev/null; '
    'pwd -P > "$__cvdops_job/cwd" 2>/dev/null; exit "$__cvdops_rc"\' EXIT; '
)
SH_STRICT = "set -eu; "

# Set by the shell itself or by us: not part of the session.
INTERNAL = frozenset(
    [
        "_",
        "PPID",
        "UID",
        "EUID",
        "SHLVL",
        "LINENO",
        "RANDOM",
        "SRANDOM",
        "SECONDS",
        "EPOCHSECONDS",
        "EPOCHREALTIME",
        "FUNCNAME",
        "PWD",
        "OLDPWD",
        "GROUPS",
        "DIRSTACK",
        "HISTCMD",
        "HOSTNAME",
        "HOSTTYPE",
        "MACHTYPE",
        "OSTYPE",
        "OPTIND",
        "OPTERR",
        "OPTARG",
        "IFS",
        "PS1",
        "PS2",
        "PS4",
        "SHELLOPTS",
        "PIPESTATUS",
        "TERM",
        "COMP_WORDBREAKS",
        "CVDOPS_ATTEMPT",
        "CVDOPS_JOB",
        "COLUMNS",
        "LINES",
    ]
)
