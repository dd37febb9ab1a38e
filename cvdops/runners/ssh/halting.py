"""The part of the program on the target that ends a job and looks whether all of it is gone.

The same rules as for jobs of this machine: members carry the marker, hold the claim open, are in the
leader's session or group, or descend from these. A look at all processes misses a chain of short-lived
ones, each of which starts the next. So looks at those born since follow, each without an external
command, until none was born during a look that saw nobody.
"""

from cvdops.runners.wrapper import MARK

KILL_PATIENCE = 5  # seconds: a process that is still there after them cannot be ended
_QUIET_LOOKS = 200  # without a member, where processes are born all the time
_WINDOW = 64  # numbers that are looked at again: a process is numbered before it can be seen
_BLANK_LOOKS = 20  # a process without variables for as many looks really has none

_HALT = """
# Hundredths of a second after boot
clock() {
  IFS=' .' read -r seconds part _ </proc/uptime
  time=$((seconds * 100 + 1$part - 100))
}

last_born() { IFS=' ' read -r _ _ _ _ born </proc/loadavg; }

# PID: sets state, parent, group, session, started; fails if it has ended
stat_of() {
  line=
  while IFS= read -r more || test -n "$more"; do line="$line $more"; done </proc/"$1"/stat || return
  set -- ${line##*) }
  test $# -ge 20 || return  # it ended while it was being read
  state=$1 parent=$2 group=$3 session=$4
  shift 19
  started=$1
  case $state in Z | X) return 1 ;; esac
}

# PID: whether it carries the marker. The shell skips the NULs between the variables. None at all are
# seen in the moment in which a process becomes another program: then blank is set.
carries() {
  blank=
  if holds "$1"; then return; fi
  test -r /proc/"$1"/environ || return
  blank=yes
  while IFS= read -r text || test -n "$text"; do
    case $text in *"CVDOPS_ATTEMPT=$attempt"*) return ;; esac
    blank=
  done </proc/"$1"/environ
  return 1
}

# PID: whether it holds the claim open
holds() { test /proc/"$1"/fd/MARK -ef "$claim"; }

# Sets claim to what is the claim: its file, or when that was removed what somebody holds open. (The lists
# of descriptors of other users cannot be looked into.)
seek_claim() {
  claim=$root/$attempt/pid
  if test -e "$claim"; then return; fi
  set +f
  claim=$(ls -l /proc/[0-9]*/fd/MARK | grep -F "/$attempt/pid (deleted)" | head -n 1)
  set -f
  claim=${claim%% -> *}
  claim=${claim##* }
}

has() { case " $1 " in *" $2 "*) ;; *) return 1 ;; esac; }

related() {
  if test -n "$leader" && test "$session" = "$leader" -o "$group" = "$leader"; then return; fi
  has "$members" "$parent"
}

add() {
  found="$found $1"
  has "$groups" "$2" || groups="$groups $2"
  has "$members" "$1" || members="$members $1"
}

# Sets found to all members, after a look at every process
everyone() {
  found= groups= table= files=
  set +f
  set -- /proc/[0-9]*
  set -f
  for folder; do
    pid=${folder#/proc/}
    stat_of "$pid" || continue
    case $pid.$parent in 2.* | *.2 | $$.*) continue ;; esac  # the kernel's own, and this one
    table="$table $pid.$parent.$group.$session" files="$files $folder/environ"
  done
  seek_claim
  carriers=$nl$(grep -lF "CVDOPS_ATTEMPT=$attempt" $files)$nl
  changed=yes
  while test -n "$changed"; do
    changed= rest=
    for entry in $table; do
      pid=${entry%%.*} session=${entry##*.} entry_=${entry#*.}
      parent=${entry_%%.*} group=${entry_#*.}
      group=${group%.*}
      case $carriers in
        *"$nl/proc/$pid/environ$nl"*) add "$pid" "$group"; changed=yes ;;
        *) if related || holds "$pid"; then add "$pid" "$group"; changed=yes; else rest="$rest $entry"; fi ;;
      esac
    done
    table=$rest
  done
}

# [kill]: sets found to the members among those born since the last time, complete if none can have
# been missed
newcomers() {
  last_born
  before=$born complete=yes found=
  if test "$born" -lt "$since"; then since=1; fi  # the numbers began anew
  pid=$((since - WINDOW))
  while test $((pid += 1)) -le "$before"; do
    ! has "$strangers" "$pid" && stat_of "$pid" && test "$parent" != $$ || continue
    if related || carries "$pid"; then
      add "$pid" "$group"
      test -z "$1" || signal_one "$pid" "$group"
    elif test -z "$blank"; then
      strangers="$strangers $pid"
    else
      complete=
      eval "looks=\\$((blank_$pid += 1))"
      test $looks -lt BLANK_LOOKS || strangers="$strangers $pid"
    fi
  done
  since=$before
  last_born
  test "$born" = "$before" || complete=
}

# [kill]: fails with the members that are there; succeeds if a look was complete or many saw nobody
vigil() {
  quiet=0
  while test $quiet -lt QUIET_LOOKS; do
    newcomers "$1"
    if test -z "$found"; then
      test -z "$complete" || return 0
      quiet=$((quiet + 1))
      continue
    fi
    quiet=0
    clock
    if test -z "$1" || test $time -gt $deadline; then return 1; fi
  done
}

# PID GROUP: the whole group at once, so that none of it can start another meanwhile. A group of a
# member has only members: the job began in a session of its own.
signal_one() {
  kill -s KILL "$1"
  case $2 in 0 | 1 | $own) ;; *) kill -s KILL -- "-$2" ;; esac
}

# SIGNAL: to all that were found
signal() {
  kill -s "$1" $found
  for group in $groups; do
    case $group in 0 | 1 | $own) ;; *) kill -s "$1" -- "-$group" ;; esac
  done
}

# ATTEMPT PID STARTED BOOT: sets found to all members
seek_members() {
  attempt=$1 leader= members= strangers= blank=
  stat_of $$ && own=$group
  if test -n "$2" && test "$4" = "$boot" && stat_of "$2" && test "$started" = "$3"; then leader=$2; fi
  last_born
  since=$born
  clock
  everyone
}

# ATTEMPT PID STARTED BOOT: all that there is of a job
running() {
  seek_members "$@"
  test -n "$found" || vigil ''
  part left "${found# }"
}

# ATTEMPT PID STARTED BOOT GRACE: TERM, after the grace (hundredths of a second) KILL
halt() {
  seek_members "$@"
  deadline=$((time + $5))
  test -z "$found" || signal TERM  # once: what they start to clean up must be able to work
  while test -n "$found" || ! vigil ''; do
    clock
    if test $time -ge $deadline; then break; fi
    sleep 0.1 || sleep 1
    everyone
  done
  deadline=$((time + KILL_PATIENCE))
  while test -n "$found" && test $time -lt $deadline; do
    signal KILL
    vigil kill && everyone
    clock
  done
  part left "${found# }"
}
"""
HALT = (
    _HALT.replace("KILL_PATIENCE", str(KILL_PATIENCE * 100))
    .replace("QUIET_LOOKS", str(_QUIET_LOOKS))
    .replace("BLANK_LOOKS", str(_BLANK_LOOKS))
    .replace("WINDOW", str(_WINDOW))
    .replace("MARK", str(MARK))
)
