"""A proposal that nobody decides ends by itself, by nobody."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("changes", "0001_initial")]

    operations = [
        migrations.AlterField(
            model_name="change",
            name="state",
            field=models.CharField(
                choices=[
                    ("proposed", "Waits for a second person"),
                    ("applied", "Applied"),
                    ("refused", "Refused"),
                    ("withdrawn", "Withdrawn"),
                    ("stale", "Overtaken"),
                    ("expired", "Expired"),
                ],
                default="proposed",
                max_length=10,
            ),
        ),
        migrations.RemoveConstraint(model_name="change", name="change_decided_has_time_and_person"),
        migrations.AddConstraint(
            model_name="change",
            constraint=models.CheckConstraint(
                condition=Q(state="proposed", decided_at__isnull=True)
                | Q(state="expired", decided_at__isnull=False, decider__isnull=True)
                | (
                    ~Q(state__in=["proposed", "expired"])
                    & Q(decided_at__isnull=False, decider__isnull=False)
                ),
                name="change_decided_has_time_and_person",
            ),
        ),
    ]
