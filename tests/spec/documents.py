"""Documents the tests of the format share."""

from datetime import date

TODAY = date(2026, 12, 1)

ANNOTATED = """\
---
format: 1
id: backup-restore
version: 1.10
category: backup-restore
last_updated: 2026-11-01
impact: No downtime.
tools: [sqlite3]
variables:
  LABEL: {default: manual, pattern: "[a-z0-9_-]{1,40}"}
  RESTORE_FILE:
    {type: path, required: true, pattern: "[a-z0-9/._-]{1,200}", procedures: [restore-database]}
procedures:
  backup-database: {title: Back up the database, sections: [database-backup]}
  restore-database: {title: Restore, sections: [database-restore], verification: []}
---
# Backup and restore

## Overview

Keeps data.

## Prerequisites

Access.

## Preparation

- [ ] Disk space is free
- [x] People were told

## Procedures

### Database backup

Say **hello**.

```bash {#backup timeout=60s destructive rollback=remove-backup}
echo "hi ${LABEL}"
# Expected output: hi manual
```

### Restore {#database-restore}

```approval {#go}
approvers: [operations-manager, cto]
required: 1
expires: 2h
message: Restore the database?
```

```bash {#restore when="ENVIRONMENT == production"}
sqlite3 "${DATABASE_PATH}" ".restore '${RESTORE_FILE}'"
```

## Verification

```bash {#check checkpoint}
sqlite3 "${DATABASE_PATH}" "PRAGMA integrity_check;"
```

```output
ok
```

## Rollback

```bash {#remove-backup}
rm -f "${BACKUP_DIR}/${LABEL}.db"
```

## Troubleshooting

### Database is locked

**Symptoms**: “database is locked”

**Resolution**:

```bash
fuser "${DATABASE_PATH}"
```
"""

PLAIN = """\
# Deployment Runbook

## Metadata
- **Version**: 1.0.0
- **Last Updated**: 2026-08-12

## Overview
### Prerequisites
Access.

## Pre-Deployment Checklist
- [ ] Approval obtained
- [ ] Backup verified

## Deployment Procedures
### Phase 1: Prepare
#### Step 1.1: Choose
```bash
DEPLOYMENT_DATE=$(date)
```
### Phase 2: Deploy
```bash
echo "${DEPLOYMENT_DATE}"
```

## Restore Procedures
### Full restore
```bash
ls
```
### Single table
```bash
ls
```

## Verification Checklist
- [ ] Site answers

## Common Issues
### It is slow
**Symptoms:** slow
**Resolution:** wait

---

**Owner**: Operations Team
**Next Review Date**: 2027-04-01
"""


def annotated(before: str = "", procedures: str = "", after: str = "") -> str:
    """A small annotated document: more front matter, the body of Procedures, and what follows."""
    return f"---\nformat: 1\n{before}---\n# Title\n\n## Procedures\n\n{procedures}\n{after}"
