"""The one-command system: PostgreSQL, Redis, practice CVD, web, worker under one supervisor."""
