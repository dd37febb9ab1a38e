"""The planner has to know that there are three environments and five runbooks, and not sixty of each.

By itself the database counts the rows of a table after fifty changes, which such a table never sees. Without
that, the history is sorted as a whole for a page of it, and words are looked for in outputs that no filter fits.
"""

from django.db import migrations

_TABLES = (
    *("accounts_user", "access_matrixcell", "access_role", "access_rolegrant"),
    *("catalog_runbook", "catalog_runbookversion", "environments_environment"),
)
_EACH = "ALTER TABLE {} SET (autovacuum_analyze_threshold = 0)"
_BACK = "ALTER TABLE {} RESET (autovacuum_analyze_threshold)"


class Migration(migrations.Migration):
    dependencies = [
        ("executions", "0021_output_horizon"),
        ("accounts", "0001_initial"),
        ("access", "0001_initial"),
        ("catalog", "0001_initial"),
        ("environments", "0001_initial"),
    ]

    operations = [
        migrations.RunSQL(
            [_EACH.format(table) for table in _TABLES], [_BACK.format(table) for table in _TABLES]
        )
    ]
