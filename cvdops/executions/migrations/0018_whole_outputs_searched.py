"""Of outputs beyond 8 MB only the ends were searched: workers look through them anew."""

from django.db import migrations

_AGAIN = """
    WITH again AS (
      UPDATE executions_stepattempt SET searched = false
       WHERE searched AND output_size > 8 * 1024 * 1024 RETURNING id
    )
    DELETE FROM executions_outputwords w USING again WHERE w.attempt_id = again.id
"""


class Migration(migrations.Migration):
    dependencies = [("executions", "0017_clean_at")]

    operations = [migrations.RunSQL(_AGAIN, migrations.RunSQL.noop)]
