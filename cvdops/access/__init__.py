"""Who may do what: roles, the permissions matrix, and the one policy that answers."""
