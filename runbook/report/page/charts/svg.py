"""matplotlib's SVG made fit for a page: no style attribute, ids of its own, colours of the page, a name."""

from __future__ import annotations

import re
from typing import Final
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from runbook.report.page.charts.style import VARIABLES

SVG: Final = "{http://www.w3.org/2000/svg}"
HREF: Final = "{http://www.w3.org/1999/xlink}href"
_FONT: Final = re.compile(r"font-family:[^;]*;?\s*")
_URL: Final = re.compile(r"url\(#([^)]*)\)")


class Stylesheet:
    """Collects what inline charts would say in style attributes, which a strict policy forbids."""

    def __init__(self) -> None:
        self._classes: dict[str, str] = {}

    def name(self, declarations: str) -> str:
        """Name the class of some declarations."""
        return self._classes.setdefault(declarations, f"c{len(self._classes)}")

    @property
    def text(self) -> str:
        """The rules, in CSS."""
        return "\n".join(f".{name} {{ {said} }}" for said, name in self._classes.items())


def inline(text: str, prefix: str, title: str, description: str, sheet: Stylesheet) -> str:
    """Rewrite a chart for use inside a page.

    Args:
        text: SVG as matplotlib writes it.
        prefix: begins every id, so that charts of one page do not meet.
        title: what the chart shows.
        description: the same in a sentence.
        sheet: takes the styles.
    """
    root = ElementTree.fromstring(text)  # noqa: S314 - written by matplotlib a moment ago
    for outer in root.findall(f".//{SVG}style/..") + root.findall(f".//{SVG}metadata/.."):
        for name in ("style", "metadata"):
            for inner in outer.findall(f"{SVG}{name}"):
                outer.remove(inner)
    for element in root.iter():
        _rewrite(element, prefix, sheet)
    _name(root, prefix, title, description)
    ElementTree.register_namespace("", "http://www.w3.org/2000/svg")
    return ElementTree.tostring(root, encoding="unicode")


def _rewrite(element: Element, prefix: str, sheet: Stylesheet) -> None:
    if "id" in element.attrib:
        element.set("id", f"{prefix}-{element.attrib['id']}")
    if HREF in element.attrib:
        element.set("href", f"#{prefix}-{element.attrib.pop(HREF).removeprefix('#')}")
    if "clip-path" in element.attrib:
        element.set("clip-path", _URL.sub(rf"url(#{prefix}-\1)", element.attrib["clip-path"]))
    style = _FONT.sub("", element.attrib.pop("style", "")).strip()
    for colour, variable in VARIABLES.items():
        style = style.replace(colour, f"var({variable})")
    if style:
        element.set("class", sheet.name(style))


def _name(root: Element, prefix: str, title: str, description: str) -> None:
    for attribute in ("width", "height", "version"):
        root.attrib.pop(attribute, None)
    root.set("role", "img")
    root.set("aria-labelledby", f"{prefix}-title {prefix}-desc")
    for index, (name, text) in enumerate((("title", title), ("desc", description))):
        element = Element(f"{SVG}{name}", {"id": f"{prefix}-{name}"})
        element.text = text
        root.insert(index, element)
