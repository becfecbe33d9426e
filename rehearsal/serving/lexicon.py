"""The words that the stand-in of a model knows, by the part that they play in a sentence."""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


ADJECTIVES = _words(
    "good great small large old new quiet open warm bright long short high low clear dark early late strong "
    "simple busy famous narrow green blue white gentle common public local modern"
)

PLACES = _words("city place town port home world harbor country village region")

NOUNS = _words(
    "water river road house street light hill garden market bridge story school park office room field "
    "window coast morning summer winter day night year visitor friend child family music food book letter "
    "question answer idea work time part side end line name word way hand life state system model"
)

PLURALS = _words(
    "people hills streets houses parks stories roads friends bridges gardens windows ships trees visitors "
    "workers families markets schools lights rivers"
)

VERBS = _words(
    "has keeps gives makes finds shows needs takes brings holds opens meets follows includes offers uses sees"
)

PREPOSITIONS = _words("on in near by with of for from over")

OF_A_PLACE = _words("of with near by")

ADVERBS = _words("often always still also never soon again only")

STARTS = _words("The It There Most Every Some This In")
