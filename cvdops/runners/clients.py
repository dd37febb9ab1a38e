"""How a database's own client is made to run a file of SQL: the texts of sh around it, constants.

$1 the client, $2 the database, $3 its options for how rows look, $4 the names of the variables that the
statements name, $5 the file. The values come as environment and reach the client through a pipe, each
byte as a number: no quotation mark of theirs is ever seen by it, and none is on a command line or a disk.
"""

# Without them every value would be empty, and nobody would notice.
_TOOLS = """\
command -v od >/dev/null && command -v tr >/dev/null || {
  printf 'od and tr are not in %s: without them no value reaches a statement. %s\\n' "$PATH" \\
    'Correct the PATH of the environment, then retry.' >&2
  exit 1
}
"""

# A table, so that a client which does not know it (before 3.33) ends at once: it may not know
# parameters either, and would take every value for NULL. Another writer is waited for, ten seconds.
SQLITE = (
    _TOOLS
    + """\
case $2 in /*) test -f "$2" ;; *) false ;; esac || {
  printf 'There is no database %s on this host, or this user cannot reach it. %s\\n' "$2" \\
    "Correct the location of the environment's database, then retry." >&2
  exit 1
}
{
  echo '.timeout 10000'
  for __cvdops_name in $4; do
    printf '.parameter set :%s "CAST(x'\\' "$__cvdops_name"
    eval "printf %s \\"\\$$__cvdops_name\\"" | od -An -v -tx1 | tr -d ' \\n'
    printf '%s\\n' "' AS TEXT)\\""
  done
} | {
  exec 3<&0 <"$5"
  exec "$1" -batch -bail -table $3 -init /dev/fd/3 "$2"
}
"""
)

# TERM would end the client alone, and the server would go on with the statement: an interrupt cancels
# it there. One that comes between two statements is lost, so it is repeated until the client is gone.
# A signal also ends the wait, with a code that is not the client's: then it is waited for again, and is
# unknown (127) if the wait had heard its end. psql's names get a prefix, because it has variables of its
# own that change what it does.
PSQL = (
    _TOOLS
    + """\
export PGCLIENTENCODING=UTF8
for __cvdops_name in $4; do
  printf '\\\\set cvdops_%s '\\' "$__cvdops_name"
  eval "printf %s \\"\\$$__cvdops_name\\"" | od -An -v -to1 | tr -d '\\n' | tr ' ' '\\\\'
  printf '%s\\n' "'"
done | {
  trap '' TERM HUP
  exec "$1" -X -q -w -v ON_ERROR_STOP=1 -P pager=off -P border=2 $3 -f - -f "$5" --dbname="$2"
} &
__cvdops_client=$! __cvdops_code=127
trap '__cvdops_stopped=1
  while kill -INT "$__cvdops_client" 2>/dev/null; do /bin/sleep 0.1; done' TERM HUP
while
  __cvdops_stopped=
  wait "$__cvdops_client"
  __cvdops_now=$?
  test "$__cvdops_now" = 127 || __cvdops_code=$__cvdops_now
  test -n "$__cvdops_stopped"
do :; done
exit "$__cvdops_code"
"""
)
