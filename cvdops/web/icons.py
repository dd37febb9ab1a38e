"""Icons: the drawings of Lucide, read from its archive.

The package's own function lists the whole archive for each icon: the first page of a new process waited a
third of a second for that.
"""

from functools import cache, lru_cache
from importlib.resources import files
from xml.etree import ElementTree
from zipfile import ZipFile

from django.utils.safestring import SafeString, mark_safe


@lru_cache(maxsize=256)
def icon(name: str, size: int) -> SafeString:
    """A decorative icon, so many pixels wide. Raises KeyError for one that does not exist."""
    svg = ElementTree.fromstring(_archive().read(f"{name}.svg"))  # noqa: S314 — of the package
    for node in svg.iter():
        node.tag = node.tag.rpartition("}")[2]  # HTML needs no namespace
    svg.attrib |= {"width": str(size), "height": str(size)}
    svg.attrib |= {"aria-hidden": "true", "focusable": "false"}
    return mark_safe(ElementTree.tostring(svg, encoding="unicode"))  # noqa: S308 — as above


@cache
def _archive() -> ZipFile:
    return ZipFile(str(files("lucide").joinpath("lucide.zip")))
