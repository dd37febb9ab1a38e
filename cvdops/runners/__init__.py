"""Runners: how a step is carried out on a host. Pure Python, no Django."""

from collections.abc import Callable, Mapping
from pathlib import Path

from cvdops.runners.job import Transport
from cvdops.runners.local import LocalTransport

TRANSPORTS: Mapping[str, Callable[[Path], Transport]] = {"local": LocalTransport}
