"""Finding one's way: what there is to go to, the tour, the words, the keys."""

from itertools import groupby

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from cvdops.access.marks import person, requires
from cvdops.access.policy import Action, levels
from cvdops.web import glossary as glossaries
from cvdops.web.finding import find as found
from cvdops.web.places import FIRST, REST, places

LONGEST = 100  # characters of what is looked for


@requires(Action.USE_PORTAL)
def find(request: HttpRequest) -> HttpResponse:
    """A page with a form, and for the palette of every page its list alone."""
    text = request.GET.get("q", "").strip()[:LONGEST]
    context = {"q": text, "kinds": found(person(request), text)}
    part = "#palette" if request.headers.get("HX-Request") else ""
    return render(request, f"guide/find.html{part}", context)


@requires(Action.USE_PORTAL)
def tour(request: HttpRequest) -> HttpResponse:
    """One page for who is here for the first time, with what they themselves may do."""
    request.session.pop("first_visit", None)
    mine = [(category, level) for category, level in levels(person(request)).items() if level]
    return render(request, "guide/tour.html", {"levels": mine})


@requires(Action.USE_PORTAL)
def glossary(request: HttpRequest) -> HttpResponse:
    words = glossaries.words()
    letters = groupby(words, key=lambda word: word.name[0].upper())
    return render(request, "guide/glossary.html", {"letters": [(a, [*b]) for a, b in letters]})


@requires(Action.USE_PORTAL)
def shortcuts(request: HttpRequest) -> HttpResponse:
    """What each key does; also the content of the dialog that `?` opens."""
    leading = {place.name for place in (*FIRST, *REST)}
    context = {"places": [p for p in places(person(request)) if p.name in leading]}
    part = "#keys" if request.headers.get("HX-Request") else ""
    return render(request, f"guide/shortcuts.html{part}", context)
