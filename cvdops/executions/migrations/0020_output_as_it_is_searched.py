"""The index of the search counted at most 256 places of a word, so what stands in many lines was missed.

Its rows are made anew, with the text that they are looked for in: workers look through all outputs again.
"""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import migrations, models

_AGAIN = """
    TRUNCATE executions_outputwords;
    UPDATE executions_stepattempt SET searched = false WHERE searched
"""


class Migration(migrations.Migration):
    dependencies = [("executions", "0019_execution_of_procedure")]

    operations = [
        migrations.RunSQL(_AGAIN, migrations.RunSQL.noop),
        migrations.RemoveIndex("outputwords", "outputwords_words"),
        migrations.RemoveField("outputwords", "words"),
        migrations.AddField(
            "outputwords", "words", ArrayField(models.TextField(db_collation="C"))
        ),
        migrations.AddField("outputwords", "text", models.TextField(db_collation="C")),
        migrations.AddIndex("outputwords", GinIndex(fields=["words"], name="outputwords_words")),
    ]
