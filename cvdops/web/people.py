"""The demo people of the one-command system: one per role. Production refuses them."""

from cvdops.access.certification import Stage

PASSWORD = "cvdops-demo"  # noqa: S105 — printed by `make up` and on the login page

PEOPLE = (
    # user name (the role's slug), name
    ("operations-lead", "Olivia Lead"),
    ("devops-engineer", "Dana Devops"),
    ("system-admin", "Sam Admin"),
    ("security-admin", "Sofia Security"),
    ("developer", "Dev Eloper"),
    ("operations-manager", "Max Manager"),
    ("cto", "Chris Officer"),
    ("auditor", "Audrey Auditor"),
    ("admin", "Ada Administrator"),
)

# Who is not certified yet, and the rung of the ladder.
IN_TRAINING = {"developer": Stage.SUPERVISED}
