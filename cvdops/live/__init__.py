"""What pages and programs follow alike: an execution as it moves, read once for all who watch it."""
