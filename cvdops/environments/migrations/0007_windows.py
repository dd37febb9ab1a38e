"""The maintenance windows of installations that are older than windows."""

from datetime import datetime, timezone
from typing import Any

from django.db import migrations

# environment, name, first time in UTC, rule; two hours each
WINDOWS = (
    ('production', 'Sunday night', datetime(2026, 1, 4, 2, tzinfo=timezone.utc), 'FREQ=WEEKLY;BYDAY=SU'),
    ('staging', 'Wednesday evening', datetime(2026, 1, 7, 18, tzinfo=timezone.utc), 'FREQ=WEEKLY;BYDAY=WE'),
)


def add(apps: Any, _schema_editor: Any) -> None:
    known = set(apps.get_model('environments', 'Environment').objects.values_list('pk', flat=True))
    apps.get_model('environments', 'Period').objects.bulk_create(
        apps.get_model('environments', 'Period')(
            environment_id=environment, kind='window', name=name, starts_at=start, minutes=120, rule=rule
        )
        for environment, name, start, rule in WINDOWS
        if environment in known
    )


class Migration(migrations.Migration):

    dependencies = [
        ('environments', '0006_windows_and_holds'),
    ]

    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
