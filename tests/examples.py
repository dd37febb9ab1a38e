"""How many examples a property is tried with: a third of them in each run, all in a search at random."""

from hypothesis import settings


def examples(most: int) -> settings:
    searches = settings.get_current_profile_name() == "search"
    return settings(max_examples=most if searches else most // 3)
