"""The list of what is to be sealed is looked into by its key, not read through with all that was on it before."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("audit", "0006_pinned")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE audit_unsealed ADD CONSTRAINT audit_unsealed_key PRIMARY KEY (entry_id)",
            "ALTER TABLE audit_unsealed DROP CONSTRAINT audit_unsealed_key",
        )
    ]
