"""What the pages of the catalog show of a document, as values."""
