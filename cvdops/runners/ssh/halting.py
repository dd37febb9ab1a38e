"""The part of the program on the target that ends a job and looks whether all of it is gone.

The same rules as for jobs of this machine: members carry the marker, are in the leader's session or
group, or descend from these. A single look misses a chain of short-lived processes, each of which starts
the next. So one look follows the other until none was born during a look that saw nobody.
"""

KILL_PATIENCE = 500  # hundredths of a second
QUIET_LOOKS = 200  # without a member, where processes are born all the time

HALT = """
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
  case $state in Z | X | '') return 1 ;; esac
}

has() { case " $1 " in *" $2 "*) ;; *) return 1 ;; esac; }

# FLOOR: sets found to the members among the processes above this number; complete if nobody was born
# during the look and nobody it saw was unknown.
survey() {
  last_born
  before=$born found= table= files= unknown=
  set +f
  set -- "$1" /proc/[0-9]*
  set -f
  floor=$1
  shift
  for folder; do
    pid=${folder#/proc/}
    test "$pid" -gt "$floor" && ! has "$strangers" "$pid" && stat_of "$pid" || continue
    case $pid.$parent in 2.* | *.2 | $$.*) continue ;; esac  # the kernel's own, and this one
    if test -n "$leader" && test "$session" = "$leader" -o "$group" = "$leader"; then
      add "$pid" "$group"
    else
      table="$table $pid.$parent.$group" files="$files $folder/environ"
    fi
  done
  carriers=
  test -z "$files" || carriers=$(grep -lF "CVDOPS_ATTEMPT=$attempt" $files)
  descend
  last_born
  complete=
  if test "$born" = "$before"; then complete=yes; fi
}

add() {
  found="$found $1"
  has "$groups" "$2" || groups="$groups $2"
  has "$members" "$1" || members="$members $1"
}

# Those in the table that carry the marker, and whoever descends from a member
descend() {
  changed=yes
  while test -n "$changed"; do
    changed= rest=
    for entry in $table; do
      pid=${entry%%.*} parent=${entry#*.} group=${entry##*.}
      parent=${parent%.*}
      case "$nl$carriers$nl" in
        *"$nl/proc/$pid/environ$nl"*) add "$pid" "$group"; changed=yes ;;
        *)
          if has "$members" "$parent"; then
            add "$pid" "$group"
            changed=yes
          else
            rest="$rest $entry"
          fi
          ;;
      esac
    done
    table=$rest
  done
  # One that was twice no member is none; once may be the moment in which it becomes another program.
  for entry in $table; do
    pid=${entry%%.*}
    if has "$once" "$pid"; then strangers="$strangers $pid"; else once="$once $pid"; fi
  done
}

everyone() { strangers= once= groups=; survey 0; }

# A group of a member has only members: the job began in a session of its own.
signal() {
  for pid in $found; do kill -s "$1" "$pid"; done
  for group in $groups; do
    case $group in 0 | 1 | $own) ;; *) kill -s "$1" -- "-$group" ;; esac
  done
}

# [kill]: sets found to those that are there; empty if a look was complete or many saw nobody
vigil() {
  quiet=0
  last_born
  if test "$born" -lt "$start"; then start=0; fi  # the numbers began anew
  while test $quiet -lt QUIET_LOOKS; do
    groups=
    survey "$start"
    if test -z "$found"; then
      test -z "$complete" || return 0
      quiet=$((quiet + 1))
      continue
    fi
    quiet=0
    clock
    if test -z "$1" || test $time -gt $deadline; then return 1; fi
    signal KILL
  done
}

# ATTEMPT PID STARTED BOOT GRACE: TERM, after the grace (hundredths of a second) KILL
halt() {
  attempt=$1 leader= members= strangers= once= groups=
  stat_of $$ && own=$group
  if test -n "$2" && test "$4" = "$boot" && stat_of "$2" && test "$started" = "$3"; then leader=$2; fi
  last_born
  start=$born
  clock
  deadline=$((time + $5))
  everyone
  signal TERM
  while test -n "$found" || ! vigil ''; do
    clock
    if test $time -ge $deadline; then break; fi
    sleep 0.1 || sleep 1
    everyone
  done
  clock
  deadline=$((time + KILL_PATIENCE))
  while test -n "$found" && test $time -lt $deadline; do
    signal KILL
    vigil kill && everyone
    clock
  done
  part left "${found# }"
}
"""
