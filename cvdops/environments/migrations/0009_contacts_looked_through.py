"""Contacts are looked through twice a year; those that are there count as looked through now."""

from collections import Counter
from typing import Any

import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


def number(apps: Any, _schema_editor: Any) -> None:
    """The order is that of each kind, from 0."""
    contacts = apps.get_model('environments', 'Contact').objects
    places: Counter[str] = Counter()
    for pk, kind in contacts.order_by('kind', 'order').values_list('pk', 'kind'):
        contacts.filter(pk=pk).update(order=places[kind])
        places[kind] += 1


class Migration(migrations.Migration):

    dependencies = [
        ('environments', '0008_secrets'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunPython(number, migrations.RunPython.noop),
        migrations.AddField(
            model_name='contact',
            name='confirmed_at',
            field=models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
        ),
        migrations.AddField(
            model_name='contact',
            name='confirmed_by',
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name='+',
                to=settings.AUTH_USER_MODEL,
            ),
        ),
    ]
