"""A page as its reader's program sees it: elements in order, and what is wrong with them."""

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "link", "br", "hr", "img", "input", "col", "source"}
_INSIDE = re.compile(r"url\(#([^)]+)\)")
ADDRESSES = {"src", "href", "xlink:href", "srcset", "data", "poster", "action"}


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    text: str = ""


@dataclass
class Page(HTMLParser):
    """Elements of a page; `faults` is empty when it is well formed and stands alone."""

    elements: list[Element] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    _open: list[Element] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    @classmethod
    def of(cls, html: str) -> "Page":
        page = cls()
        page.feed(html)
        page.close()
        page.faults += [f"<{one.tag}> is not closed" for one in page._open]
        page._identities()
        return page

    def all(self, tag: str) -> list[Element]:
        return [one for one in self.elements if one.tag == tag]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag not in VOID:
            self._open.append(self.elements[-1])

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        one = Element(tag, {name: value or "" for name, value in attrs})
        self.elements.append(one)
        for name, value in one.attributes.items():
            if name in ADDRESSES and not value.startswith(("#", "data:")):
                self.faults.append(f"<{tag} {name}={value[:60]!r}> leads out of the page")
            if "url(" in value and "url(#" not in value:
                self.faults.append(f"<{tag} {name}={value[:60]!r}> leads out of the page")
        if tag == "img" and not one.attributes.get("alt"):
            self.faults.append("<img> without alt")
        if tag == "svg" and not (one.attributes.get("role") == "img" and one.attributes.get("aria-label")):
            self.faults.append("<svg> without a label")
        if tag in ("script", "iframe", "object", "link"):
            self.faults.append(f"<{tag}> has no place in a page that stands alone")

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1].tag != tag:
            self.faults.append(f"</{tag}> closes {self._open[-1].tag if self._open else 'nothing'}")
        else:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        for one in self._open:
            one.text += data

    def _identities(self) -> None:
        names = [one.attributes["id"] for one in self.elements if "id" in one.attributes]
        self.faults += [f"id {name!r} stands twice" for name in {name for name in names if names.count(name) > 1}]
        asked = {
            one.attributes[at].removeprefix("#") for one in self.elements for at in ADDRESSES & set(one.attributes)
        }
        asked |= {name for one in self.elements for value in one.attributes.values() for name in _INSIDE.findall(value)}
        self.faults += [f"#{name} is not there" for name in asked - set(names)]
