"""Faults: real processes, really killed, and an audit of what the portal says about them afterwards.

A test asks for the fixture `rig` and reads so: a runbook of counted steps, real workers, a fault, the truth.

    rig.runbook(rig.step("one"), rig.step("two", "idempotent target=far"))  # `far`: a host behind SSH
    with rig.workers(2) as workers:  # a supervisor starts them again; more of them have REDIS_URL=…
        started = rig.start(4)
        bury(workers.kill(0))  # its leases run out at once instead of in fifteen seconds
        rig.settled(started)
    rig.truth(started)

`own_database` (to be asked for before `rig`) and `own_redis` are servers that a test may kill. A test has a
short form of a few seconds, in every run, and a long one with more of the same, marked `faults`. The seed of
`rig.chance` stands in the head of the run; `CVDOPS_SEED=…` plays it again.
"""
