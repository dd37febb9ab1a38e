from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('catalog', '0003_obstacles_and_asking'),
    ]

    operations = [
        migrations.AlterField(
            model_name='runbook',
            name='category',
            field=models.CharField(blank=True, choices=[('deployment', 'deployment'), ('backup-restore', 'backup-restore'), ('performance', 'performance'), ('security', 'security'), ('incidents', 'incidents')], max_length=20),
        ),
    ]
