"""An execution that is over waits for nothing: those that said so still are mended, and the database refuses more."""

from django.db import migrations, models

MEND = """
UPDATE executions_execution SET waiting_for = '{}', due_at = NULL
 WHERE finished_at IS NOT NULL AND waiting_for <> '{}'
"""


class Migration(migrations.Migration):
    dependencies = [("executions", "0013_triggers")]

    operations = [
        migrations.RunSQL(MEND, migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name="execution",
            constraint=models.CheckConstraint(
                condition=models.Q(("finished_at__isnull", True), ("waiting_for", {}), _connector="OR"),
                name="execution_over_waits_for_nothing",
            ),
        ),
    ]
