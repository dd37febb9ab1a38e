"""The API for programs: the services, queries and policy of the pages, as JSON."""
