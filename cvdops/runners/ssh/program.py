"""The program that answers on the target: POSIX sh and coreutils. A constant; values come as requests.

A request is a line of shell that calls one function below. An answer is parts, `p NAME LENGTH`, a
newline, LENGTH bytes and a newline, and then a line with a dot. Builtins wherever possible: each
external command costs a millisecond on a small machine.
"""

from cvdops.runners import wrapper
from cvdops.runners.account import PATH
from cvdops.runners.interpreters import PRELUDES, prelude_name
from cvdops.runners.session import MAX_DUMP
from cvdops.runners.ssh.halting import HALT
from cvdops.runners.ssh.quoting import call, words

IDLE = 60  # seconds without a request after which, at the latest at the second, it ends itself
TOOLS = ("setsid", "stat", "head", "dd", "mkdir", "rm", "ln", "cat", "grep", "sleep")

# Nobody looks at the exit code of the chain that starts a job, so its process says who it is before it
# makes the claim. A dead watcher's pipe ends it there, when nothing has begun.
_OUTER = "echo $$\n" + wrapper.OUTER

_HEAD = """\
umask 077
set -f
LC_ALL=C
exec 2>/dev/null
hello=$1 root=$2 outer=$3 idle=$4 tools=$5 number=0
case $root in /*) ;; *) root=${HOME%/}/$root ;; esac
nl='
'
IFS= read -r boot </proc/sys/kernel/random/boot_id
setsid=$(command -v setsid) fork=
"$setsid" -f true </dev/null >/dev/null && fork=-f

part() { printf 'p %s %s\\n%s\\n' "$1" "${#2}" "$2"; }

# Not every dd can refuse a link that took the place of a file after it was looked at.
nofollow=,nofollow
dd if=/dev/null count=0 iflag=nofollow || nofollow=

# NAME FILE OFFSET LENGTH
raw() {
  printf 'p %s %s\\n' "$1" "$4"
  dd if="$2" bs=65536 iflag=fullblock,skip_bytes,count_bytes$nofollow skip="$3" count="$4"
  echo
}

# LENGTH: a request that follows as so many bytes, for one that is long or not plain text
big() { eval "$(dd bs="$1" count=1 iflag=fullblock)"; }

missing() {
  for tool in $tools; do command -v "$tool" >/dev/null || printf '%s ' "$tool"; done
}
"""

_SPOOL = """
# NEW-IDENTITY
identify() {
  complete || {
    said=$(exec 2>&1; prepare "$1") || { part failed "$said"; return; }
  }
  identity
}

identity() {
  id=
  IFS= read -r id <"$root/.id"
  part id "$id"
  part boot "$boot"
}

complete() {
  for name in .id $preludes; do test -f "$root/$name" || return; done
}

prepare() {
  test -d "$root" || mkdir -p -- "$root" || return
  new=$root/..id.$1
  keep_preludes && printf '%s\\n' "$1" >"$new" || return
  test -f "$root/.id" || ln -- "$new" "$root/.id" || test -f "$root/.id"
  code=$?
  rm -f -- "$new"
  return $code
}

# NAME CONTENT
keep() { printf '%s' "$2" >"$new" && mv -f -- "$new" "$root/$1"; }

# LIMIT: job directories, those first that were changed last
claims() {
  uuid='[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}'
  part names "$(ls -1t -- "$root" | grep -xE "$uuid" | head -n "$1")"
}

# ATTEMPT…
clean() {
  for attempt in "$@"; do
    empty "$root/$attempt" || part left "$attempt"
  done
}

# JOB: all but the claim
empty() {
  job=$1
  if test -h "$job" || ! test -d "$job"; then return; fi
  set --
  set +f
  for file in "$job"/* "$job"/.[!.]* "$job"/..?*; do
    if test "$file" != "$job/pid" && { test -e "$file" || test -h "$file"; }; then
      set -- "$@" "$file"
    fi
  done
  set -f
  test $# = 0 || rm -rf -- "$@"
}
"""

_START = """
# SEARCH-PATH NAME
seek() {
  old=$IFS IFS=:
  for folder in $1; do
    case $folder in
      /*) test -f "$folder/$2" && test -x "$folder/$2" && IFS=$old && program=$folder/$2 && return ;;
    esac
  done
  IFS=$old
  return 1
}

# ATTEMPT NAME BY-NAME SCRIPT SETTINGS SEARCH-PATH PROGRAM DIRECTORY HOME RUNNER OPTION…
begin() {
  job=$root/$1 apart=$root/$1/.$$.$((number += 1)) name=$2 alone=$3
  shift 3
  if claimed; then part claimed ''; return; fi
  seek "$3" "$4" || { part missing "$3"; return; }
  where=$5 runner=$7
  if test -z "$where"; then
    where=$root
    case $6 in /*) test -d "$6" && where=$6 ;; esac
  fi
  said=$(launch "$@")
  stat= pid=${said%%"$nl"*}
  test -f "$job/pid" && ! test -h "$job/pid" && IFS= read -r stat <"$job/pid"
  case $stat in
    "${pid:-none} "*) part stat "$stat"; part where "$where"; return ;;
  esac
  if claimed; then part claimed ''; else part failed "$said"; fi
  rm -rf -- "$apart"
}

# Whether there is a claim in the job directory, or something else in its place
claimed() {
  if test -h "$job"; then return; fi
  if test -d "$job"; then test -e "$job/pid" || test -h "$job/pid"; else test -e "$job"; fi
}

# Twice setsid, where it cannot be told to fork: the first makes itself the leader of a session, so the
# second has to. A job that `&` put into the background would ignore interrupts for ever.
launch() {
  exec 2>&1 </dev/null
  if test -d "$job"; then mkdir -- "$apart"; else mkdir -- "$job" "$apart"; fi
  test -d "$apart" && printf '%s\\n' "$1" >"$apart/$name" || { echo; exit 1; }
  settings=$2 script=$apart/$name
  test -z "$alone" || { export CVDOPS_SCRIPT="$apart"; script=$name; }
  shift 7
  set -- "$setsid" "${fork:-$setsid}" /bin/sh -c "$outer" cvdops-job "$job" "$boot" "$where" \\
    ${runner:+/bin/sh "$runner"} "$program" "$@" "$script"
  cd /
  eval "$settings"
  exec "$@"
}
"""

_LOOK = """
# ATTEMPT: what the job wrote when it made its claim
claim() {
  job=$root/$1 file=$root/$1/pid length=
  if test -h "$job" || ! test -d "$job" || ! claimed; then part absent ''; identity; return; fi
  test -f "$file" && ! test -h "$file" && length=$(stat -c %s -- "$file")
  if test "${length:-0}" -gt 16384; then length=16384; fi
  if test "${length:-0}" -gt 0; then raw claim "$file" 0 "$length"; fi
}

# ATTEMPT: whether anything that carries its marker runs
carriers() {
  set +f
  part carriers "$(grep -lF "CVDOPS_ATTEMPT=$1" /proc/[0-9]*/environ)"
  set -f
}

process() {
  IFS= read -r now </proc/"$1"/stat && part process "$now"
}

# PID: sets now, which is empty once it has ended. Before its files are looked at: a process that ends later
# has left its result.
seen() {
  now=
  test -z "$1" || IFS= read -r now </proc/"$1"/stat
}

# Sets files, and out, rc, ended and vars to the sizes of those that are plain files
measure() {
  out=0 rc= ended= vars=0
  files=$(cd "$job" && exec stat -c '%f %s %n' -- out rc ended vars short)
  while IFS=' ' read -r mode size name; do
    case $mode.$name in
      8???.out) out=$size ;;
      8???.rc) rc=$size ;;
      8???.ended) ended=$size ;;
      8???.vars) vars=$size ;;
    esac
  done <<end
$files
end
}

# ATTEMPT PID OFFSET LIMIT: how a job stands, with its output from an offset on, and its end. Where a
# result is there already, it is looked at once more: it has ended by then, if the result is its own.
look() {
  job=$root/$1
  seen "$2"
  if test -h "$job" || ! test -d "$job"; then part absent ''; return; fi
  if test -n "$now" && silent "$3"; then part process "$now"; part silent ''; return; fi
  measure
  if test -n "$now" && test -n "$rc"; then seen "$2"; measure; fi
  test -z "$now" || part process "$now"
  part files "$files"
  length=$((out - $3))
  if test "$length" -gt "$4"; then length=$4; fi
  if test "$length" -gt 0; then raw out "$job/out" "$3" "$length"; fi
  test -z "$rc" || code rc "$rc"
  test -z "$ended" || code ended "$ended"
  test -z "$ended" || test -z "$now" || children "$2"
  if test -n "$rc$ended" && test "$vars" -gt 0 && test "$vars" -le MAX_DUMP; then
    raw vars "$job/vars" 0 "$vars"
  fi
}

# ATTEMPT END: the output before that byte is not read again
spare() {
  file=$root/$1/out
  if test -f "$file" && ! test -h "$file"; then fallocate -p -l "$2" -- "$file"; fi
}

# PID: the states of its children, a letter for each
children() {
  children= states=
  IFS= read -r children </proc/"$1"/task/"$1"/children
  for child in $children; do
    now=
    IFS= read -r now </proc/"$child"/stat
    now=${now##*) }
    states=$states${now%% *}
  done
  part children "$states"
}

# OFFSET: whether a young job has not written anything yet; costs no external command
silent() {
  test "$1" = 0 && ! test -s "$job/out" && ! test -e "$job/ended" && ! test -e "$job/rc"
}

# NAME SIZE
code() {
  text=
  if test "$2" -le 16; then IFS= read -r text <"$job/$1" && text=$text$nl; fi
  part "$1" "$text"
}

# {ATTEMPT PID}…: how several stand, by one external command
sizes() {
  list=
  while test $# -gt 0; do
    list="$list $1/out $1/rc $1/ended"
    test -z "$2" || process "$2"
    shift 2
  done
  part files "$(cd "$root" && exec stat -c '%f %s %n' -- $list)"
}
"""

# The watchdog ends a program whose connection died without a word: nobody asks it any more.
_LOOK = _LOOK.replace("MAX_DUMP", str(MAX_DUMP))

_SERVE = """
asked() { while read -r name bytes; do test "$name" != rchar: || echo "$bytes"; done </proc/$$/io; }
(
  before=
  trap 'kill $nap; exit' TERM
  while
    sleep "$idle" &
    nap=$!
    wait $nap && kill -0 $$
  do
    now=$(asked)
    if test "$now" = "$before"; then kill $$; fi
    before=$now
  done
) </dev/null >/dev/null &
watchdog=$!
trap 'kill $watchdog' EXIT
trap 'exit 0' TERM HUP PIPE

printf '\\n%s\\n' "$hello"
part boot "$boot"
part home "$HOME"
part user "$LOGNAME"
part root "$root"
part missing "$(missing)"
echo .
while IFS= read -r request; do
  eval "$request"
  echo . || exit
done
"""

_PRELUDES = {prelude_name(text): text for text in PRELUDES}
_KEPT = " && ".join(call("keep", name, text) for name, text in _PRELUDES.items())
_KEEP = f"keep_preludes() {{ {_KEPT}; }}\npreludes='{' '.join(_PRELUDES)}'\n"
_PROGRAM = _HEAD + _SPOOL + _KEEP + _START + _LOOK + HALT + _SERVE
LANG = "C.UTF-8"

# All that ssh is given to run: a word that every login shell takes for the same, also a restricted one.
REMOTE = "sh -s"


def bootstrap(hello: str, spool: str) -> bytes:
    """What the `sh` at the other end reads first: it becomes the program, in an environment of its own.

    `hello` is the line after which answers begin: a profile of the login may print before it.
    """
    arguments = words(_PROGRAM, "cvdops", hello, spool, _OUTER, str(IDLE), " ".join(TOOLS))
    return (
        f"PATH={PATH}\n"
        'exec env -i HOME="$HOME" USER="$USER" LOGNAME="$LOGNAME" '
        f"PATH={PATH} LANG={LANG} /bin/sh -c {arguments}\n"
    ).encode()
