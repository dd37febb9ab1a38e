"""When a token that opens nothing was last written into the audit log."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("accounts", "0007_service")]

    operations = [
        migrations.AddField(
            model_name="token", name="told_at", field=models.DateTimeField(null=True)
        ),
    ]
