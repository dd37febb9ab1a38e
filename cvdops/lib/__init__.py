"""Small nouns that everything may use: no Django, no I/O."""
