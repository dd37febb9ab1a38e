"""Which variables a shell script sets by itself."""

import re
from functools import lru_cache

# After export, then, a semicolon and the like, or another assignment: always after one of these characters.
_ASSIGNED = re.compile(r"(?<![^\s;&|({`])([A-Za-z_]\w*)(?:\[[^\]\n]{0,40}\])?\+?=")
_LOOP = re.compile(r"\b(?:for|select)[ \t]+([A-Za-z_]\w*)\b")
_READ = re.compile(r"\b(?:read|mapfile|readarray)\b((?:[ \t]+-\w+)*)((?:[ \t]+[A-Za-z_]\w*)+)")


@lru_cache(maxsize=1024)  # several rules ask for the same scripts
def assigned(script: str) -> frozenset[str]:
    """The names that the script may set; generous, because it decides what is *not* a mistake."""
    lines = (line for line in script.split("\n") if "=" in line)
    names = set(_ASSIGNED.findall("\n".join(lines)))
    if "for" in script or "select" in script:
        names.update(_LOOP.findall(script))
    if "read" in script or "mapfile" in script:
        for _, words in _READ.findall(script):
            names.update(words.split())
    return frozenset(names)
