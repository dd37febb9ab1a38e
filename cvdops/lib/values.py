"""A stored value as people read it."""


def said(value: object) -> str:
    """Lists with commas, names with their values; nothing of how a program writes them."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return "; ".join(f"{name}: {said(one)}" for name, one in value.items()) or "none"
    if isinstance(value, list):
        deep = any(isinstance(one, dict | list) for one in value)
        return ("; " if deep else ", ").join(map(said, value)) or "none"
    return str(value)
