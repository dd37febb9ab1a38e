"""How urgent an emergency is. Those of before were told of in the times of the highest."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('executions', '0014_over_waits_for_nothing'),
    ]

    operations = [
        migrations.AddField(
            model_name='emergency',
            name='priority',
            field=models.CharField(choices=[('P0', 'Critical'), ('P1', 'High'), ('P2', 'Medium'), ('P3', 'Low')], default='P0', max_length=2),
            preserve_default=False,
        ),
        migrations.AddConstraint(
            model_name='emergency',
            constraint=models.CheckConstraint(condition=models.Q(('priority__in', ['P0', 'P1', 'P2', 'P3'])), name='emergency_priority'),
        ),
    ]
