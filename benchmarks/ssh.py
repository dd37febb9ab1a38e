"""How fast steps follow each other on a host that is reached by SSH, beside OpenSSH itself."""

import subprocess
import time
from pathlib import Path

from benchmarks import flood, steps
from benchmarks.figures import Figure, median, percentile
from tests.sshd import Sshd, ssh_server

RUNS = 40


def measure(folder: Path, log: Path) -> list[Figure]:
    """Milliseconds a step, connection reused, and a flood; `folder` is that of the runbooks."""
    from cvdops.catalog.sync import sync
    from tests.hosts import introduce

    (folder / "far.md").write_text(steps.document("far", ["true"] * steps.STEPS, "target=far"))
    sync(folder)
    with ssh_server() as server:
        floor = median(_multiplexed(server))
        introduce(server, "development")
        apart, _ = steps.paces("far")
        flooded = flood.measure_far(log)
    return [
        Figure("the same step over SSH, median", median(apart), "ms", floor, 20.0),
        Figure("the same step over SSH, p99", percentile(apart, 0.99), "ms", floor, 60.0),
        *flooded,
    ]


def _multiplexed(server: Sshd) -> list[float]:
    """`ssh HOST true` over a connection that is there already."""
    socket = server.folder / "m"
    options = ("-F", "none", "-p", str(server.port), "-l", server.login.user, "-S", str(socket))
    trust = ("-o", "StrictHostKeyChecking=no", "-o", f"UserKnownHostsFile={server.folder}/known")
    ssh = ["ssh", *options, *trust, "-i", str(server.folder / "user"), "-o", "LogLevel=ERROR"]
    subprocess.run([*ssh, "-M", "-f", "-N", "127.0.0.1"], check=True)
    found = []
    for _ in range(RUNS):
        began = time.perf_counter()
        subprocess.run([*ssh, "127.0.0.1", "true"], check=True)
        found.append((time.perf_counter() - began) * 1000)
    subprocess.run([*ssh, "-O", "exit", "127.0.0.1"], check=True, capture_output=True)
    return found
