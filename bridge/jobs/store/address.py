"""A store's URL, and what must not be shown of it."""

from __future__ import annotations

import re
from urllib.parse import unquote

SPECIAL = "what is special in a password (@ : / ? # %) is written as %40 %3A %2F %3F %23 %25"

_IN_QUERY = re.compile(r"[?&](?:ssl)?password=([^&#]*)", re.IGNORECASE)
_QUOTED = re.compile(r'"[^"]*"')
_SHORTEST = 4  # a shorter one would blacken ordinary words


def passwords(url: str) -> list[str]:
    """Every text that may be a password in it, as it is written and as it is meant. Of a mistyped URL too."""
    found = _IN_QUERY.findall(url)
    before, at, _ = url.partition("://")
    rest = url.removeprefix(before + at) if at else url
    if "@" in rest:
        # One that nobody escaped may belong to the password, or stand behind the host.
        before_at = (rest.partition("@")[0], rest.rpartition("@")[0])
        found += [user_info.partition(":")[2] for user_info in before_at]
    return [text for text in dict.fromkeys([*found, *map(unquote, found)]) if len(text) >= _SHORTEST]


def without(text: str, secrets: list[str]) -> str:
    """The text on one line, without those secrets."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    return " ".join(text.split())


def without_quotes(text: str) -> str:
    """The text on one line, without anything that it quotes: a parser quotes what it does not understand."""
    return " ".join(_QUOTED.sub('"…"', text).split())
