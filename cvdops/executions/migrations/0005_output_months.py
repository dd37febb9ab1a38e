"""The months of the output table, before anything is written: workers make the later ones."""

from django.db import migrations

from cvdops.executions.partitions import prepare


def make(_apps: object, _editor: object) -> None:
    prepare()


class Migration(migrations.Migration):
    dependencies = [("executions", "0004_worker_left_at")]

    operations = [
        migrations.RunPython(make, migrations.RunPython.noop),
    ]
