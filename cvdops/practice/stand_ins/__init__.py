"""Commands of a production server that act on the practice CVD alone; found first on its PATH."""
