"""Values as words of a shell that cannot become anything else. None of them may contain a NUL."""


def words(*values: str) -> str:
    """Words of a command."""
    return " ".join("'" + value.replace("'", "'\\''") + "'" for value in values)


def call(function: str, *arguments: str | int) -> str:
    """A request of the program on the target: a call of one function, on one line (`nl` is a newline)."""
    line = words(*map(str, arguments)).replace("\n", "'\"$nl\"'")
    return f"{function} {line}"
