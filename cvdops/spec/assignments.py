"""Which variables a shell script sets by itself."""

import re
from functools import lru_cache

_ASSIGNED = re.compile(
    r"(?:^|[;&|({`]|\b(?:then|do|else|export|readonly|local|declare|typeset)\b)[ \t]*"
    r"(?:-\w+[ \t]+)*([A-Za-z_]\w*)(?:\[[^\]\n]{0,40}\])?\+?=",
    re.MULTILINE,
)
_LOOP = re.compile(r"\b(?:for|select)[ \t]+([A-Za-z_]\w*)\b")
_READ = re.compile(r"\b(?:read|mapfile|readarray)\b((?:[ \t]+-\w+)*)((?:[ \t]+[A-Za-z_]\w*)+)")
_ALSO = re.compile(r"(?<=\s)([A-Za-z_]\w*)=")  # A=1 B=2, and after export


@lru_cache(maxsize=1024)  # several rules ask for the same scripts
def assigned(script: str) -> frozenset[str]:
    """The names that the script may set; generous, because it decides what is *not* a mistake."""
    names = {*_ASSIGNED.findall(script), *_LOOP.findall(script), *_ALSO.findall(script)}
    for _, words in _READ.findall(script):
        names.update(words.split())
    return frozenset(names)
