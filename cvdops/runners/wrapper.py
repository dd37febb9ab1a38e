"""The shell texts around a step: the claim, the result, the session that is carried over.

Two shells: the outer one claims the job directory and records the exit code, so that it is known also
of a script that replaces itself (`exec`), sets its own EXIT trap, or kills itself. Builtins wherever
possible: each external command costs 0.7 ms. The texts are constants; values come as environment.
"""

ALREADY_CLAIMED = 97
MARK = 7  # the descriptor by which a process of a job holds its claim open; sh knows one digit

# The claim is the file `pid`, made here and only if it is not there: whoever sends a job makes no more
# than the directory for it. The output goes through a pipe into `out`: a script that opens /dev/stdout
# or /dev/stderr by name would cut a file to nothing. A shell has no command for a pipe whose both ends
# it holds, but a here-document is one (where it is a file the job does not begin); so nothing has to be
# forked but the command and its `cat`. `ended` has the exit code when the command is over, `rc` when all
# that it wrote is in `out`, too. A child that lives on and keeps the pipe open leaves it at `ended`. When
# `cat` could not write everything, `short` says so; an empty file is made even on most full disks. Nobody
# hears what `cat` says, so it need not load a language to say it in.
# $1 job directory, $2 boot id, $3 working directory, then the command. Standard output and error are a
# pipe to the watcher until everything is in place: that it closes says so. Nothing is written to it
# then, because the watcher may be dead. No variable may have a name that the job's environment could
# have, or the job would see its value changed. All that the job starts inherits its claim, open for
# reading: what empties its environment and leaves its session and its parents is known by that. Nobody
# waits for the end of a regular file, and there is nothing in it but who the job is.
_OUTER = """\
umask 077
ulimit -c 0
exec <<end

end
test -p /proc/self/fd/0 && IFS= read -r __cvdops_stat || exit 98
exec 3>/proc/self/fd/0 4<&0 </dev/null
__cvdops_job=$1 __cvdops_boot=$2 __cvdops_cwd=$3 __cvdops_claimed=
shift 3
IFS= read -r __cvdops_stat </proc/self/stat
set -C
{
  __cvdops_claimed=yes
  : >"$__cvdops_job/out" &&
    printf '%s\\n%s\\n%s\\n' "$__cvdops_stat" "$__cvdops_boot" "$__cvdops_cwd" || exit 98
} >"$__cvdops_job/pid"
set +C
test "$__cvdops_claimed" || { test -e "$__cvdops_job/pid" && exit 97; exit 98; }
exec MARK<"$__cvdops_job/pid"
# A signal to the whole group ends the command, which gets it as usual; this shell records how.
trap : HUP INT TERM
exec >&3 2>/dev/null 3>&-
if cd -- "$__cvdops_cwd"; then
  unset OLDPWD
  (trap '' HUP INT TERM; LC_ALL=C exec /bin/cat >>"$__cvdops_job/out") <&4 4<&- &
  exec 4<&-
  umask 022
  "$@" 2>&1
  __cvdops_rc=$?
  umask 077
  trap '' HUP INT TERM
  exec >/dev/null
  printf '%s\\n' "$__cvdops_rc" >"$__cvdops_job/ended" || {
    test -e "/proc/$!/exe" || wait "$!" || : >"$__cvdops_job/short"
    exit
  }
  wait "$!" || : >"$__cvdops_job/short"
else
  printf 'The working directory %s is gone or closed to this user. %s\\n' "$__cvdops_cwd" \\
    'Make it again, or run the step that made it, then retry.' >>"$__cvdops_job/out"
  __cvdops_rc=1
fi
printf '%s\\n' "$__cvdops_rc" >"$__cvdops_job/rc"
"""
OUTER = _OUTER.replace("MARK", str(MARK))

# Read by bash before the script, so that line numbers in its messages are the script's own. In them it
# names the script as it was told to open it: by its name alone, so that people read the name of the step
# and no path. That takes a change to its folder, which the script's first words, BASH_HEAD, take back.
# SHELL is given to bash, which else searches the table of users for it at every start, and to nobody else.
# `declare -p` is one builtin: a loop over all names costs a millisecond more. What a script that traces
# its commands (`set -x`, a DEBUG trap) would say of ours goes nowhere: hence the redirections in the trap.
BASH_PRELUDE = """\
unset BASH_ENV
declare +x SHELL
__cvdops_job=$CVDOPS_JOB __cvdops_cwd=$PWD
__cvdops_begin() {
  builtin cd -- "$__cvdops_cwd" || exit
  unset OLDPWD __cvdops_cwd
  unset -f __cvdops_begin
}
__cvdops_where() {
  if [ "${__cvdops_cwd+set}" ]; then builtin printf '%s\\n' "$__cvdops_cwd"; else builtin pwd; fi
}
__cvdops_keep() {
  builtin trap - DEBUG
  set +eux
  builtin umask 077
  { __cvdops_where; builtin printf '\\0'; builtin declare -p; builtin printf '\\0end'; } \\
    >|"$__cvdops_job/vars"
}
trap '{ __cvdops_keep; } >/dev/null 2>&1' EXIT
cd -- "$CVDOPS_SCRIPT"
unset CVDOPS_JOB CVDOPS_SCRIPT
"""
BASH_HEAD = "__cvdops_begin; "

# sh has no file that is read before a script, so this stands in its first line. It cannot list its
# variables in a form that is safe to read back: all are exported, and the trap prints the environment.
SH_HEAD = (
    "__cvdops_job=$CVDOPS_JOB; unset CVDOPS_JOB; set -a; "
    'trap \'{ set +eux; umask 077; } 2>/dev/null; { pwd; printf "\\0"; /usr/bin/env -0; printf "\\0end"; } '
    '2>/dev/null >|"$__cvdops_job/vars"\' EXIT; '
)
SH_STRICT = "set -eu; (set -o pipefail) 2>/dev/null && set -o pipefail; "
