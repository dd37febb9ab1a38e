from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0002_reviews_and_source'),
    ]

    operations = [
        migrations.AddField(
            model_name='runbook',
            name='obstacles',
            field=models.JSONField(default=list),
        ),
        migrations.AddField(
            model_name='catalogsource',
            name='asked_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='catalogsource',
            name='problem_since',
            field=models.DateTimeField(null=True),
        ),
    ]
