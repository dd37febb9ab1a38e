"""What it means when a repository cannot be read, in words of operations. Pure."""

import re
from urllib.parse import urlsplit

from cvdops.catalog.origin import Origin

_MEANINGS: tuple[tuple[str, str], ...] = (
    (
        r"resolve host|name or service not known|name resolution|nodename nor servname",
        "The name of the host {host} is not known. Check the address and the name servers.",
    ),
    (
        r"connection refused|failed to connect|couldn't connect|unable to connect",
        "{host} refuses the connection. Check the address and that the server runs.",
    ),
    (
        r"timed out|timeout|operation too slow|no route to host|network is unreachable",
        "{host} does not answer. Check the network between this machine and it.",
    ),
    (
        r"host key verification failed|no .* host key is known",
        "The host key of {host} is not known. Add it to the known_hosts of the portal's account.",
    ),
    (
        r"permission denied \(|authentication failed|could not read username|returned error: 40[13]",
        "{host} does not let the portal read {address}. Give its key access to the repository.",
    ),
    (
        r"ssl certificate|certificate verif|server certificate",
        "The certificate of {host} is not trusted. Renew it, or trust who signed it.",
    ),
    (
        r"returned error: 30\d|redirect",
        "{host} says that the repository has moved. Name its present address with CVDOPS_RUNBOOKS.",
    ),
    (
        r"couldn't find remote ref refs/heads/",
        "The branch {branch} (CVDOPS_RUNBOOKS_BRANCH) is not in the repository {address}.",
    ),
    (
        r"couldn't find remote ref",
        "The repository {address} has no commit at its HEAD. Name a branch with "
        "CVDOPS_RUNBOOKS_BRANCH, or push the first commit.",
    ),
    (
        r"does not appear to be a git repository|not found|returned error: 404|does not exist"
        r"|no such file|not a git repository",
        "There is no repository at {address}. Check CVDOPS_RUNBOOKS.",
    ),
    (
        r"no space left|disk quota",
        "There is no space left for the copy of the repository. Make room in the data folder.",
    ),
    (r"permission denied|read-only file system", "A folder cannot be used: {said}."),
    (
        r"fsck|error in object|invalid index-pack|sha1|corrupt|bad object",
        "The repository {address} holds objects that are damaged or forbidden: {said}.",
    ),
)


def sentence(said: str, origin: Origin) -> str:
    """What git said of the repository, as a sentence that says what to do."""
    words = {
        "host": urlsplit(origin.location).hostname or "this machine",
        "address": origin.location,
        "branch": origin.branch,
        "said": _telling(said),
    }
    for pattern, meaning in _MEANINGS:
        if re.search(pattern, said, re.IGNORECASE):
            return meaning.format(**words)
    return "The repository {address} cannot be read: {said}.".format(**words)


def _telling(said: str) -> str:
    """The line that says most: the first error that is not the other side's chatter."""
    lines = [line.strip() for line in said.splitlines() if not line.startswith("remote:")]
    telling = [x for x in lines if re.match(r"(error|fatal|ssh|git)\b", x)] or lines or [""]
    return telling[0][:300].rstrip(".")
