"""Chance with a seed: it stands in the head of every run, and `CVDOPS_SEED=…` plays the same again."""

import os
import random

# In the environment, so that the processes of a parallel run have the same one.
SEED = os.environ.setdefault("CVDOPS_SEED", str(random.SystemRandom().randrange(1_000_000)))


def chance(name: str) -> random.Random:
    """The random numbers of one test: the same for the same seed, whatever ran before it."""
    return random.Random(f"{SEED}:{name}")  # noqa: S311
