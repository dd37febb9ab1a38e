"""When somebody looks whether the files of an attempt are gone from its host. Those of before are left alone."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("executions", "0016_routines")]

    operations = [
        migrations.AddField("stepattempt", "clean_at", models.DateTimeField(null=True)),
        migrations.AddIndex(
            "stepattempt",
            models.Index(
                fields=["clean_at"],
                condition=Q(clean_at__isnull=False),
                name="attempt_uncleaned",
            ),
        ),
    ]
