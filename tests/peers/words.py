"""The console's words, from its own catalogue: what a page says in either language."""
import json
import re

from .exchange import REPOSITORY

_known = {}


def _catalogue():
    if not _known:
        console = REPOSITORY / "console"
        for path in [*console.glob("words/*.json"), *console.glob("src/pages/*/words.json")]:
            _known.update(json.loads(path.read_text()))
    return _known


def words(language):
    """`t = words("zh-CN")`; `t("import.make", count=3)`."""

    def t(key, **values):
        def value(place):
            one, other = place[2], place[3]
            found = values[place[1]]
            return (one if found == 1 else other) if one is not None else str(found)

        return re.sub(r"\{(\w+)(?:\|([^|}]*)\|([^}]*))?\}", value, _catalogue()[key][language])

    return t
