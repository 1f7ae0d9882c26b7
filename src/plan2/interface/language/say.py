"""What people are told outside of the web page, in the language of their settings.

English stands where it is used and is the key of its translation, as in gettext; a sentence that a
language lacks is told in English. A test walks the sources: every sentence has its Indonesian words
with the same values, and no words are left over.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from plan2.interface.language import (
    indonesian_acts,
    indonesian_alerts,
    indonesian_chat,
    indonesian_commands,
    indonesian_messages,
)

INDONESIAN: Final[Mapping[str, str]] = {
    **indonesian_messages.WORDS,
    **indonesian_alerts.WORDS,
    **indonesian_commands.WORDS,
    **indonesian_chat.WORDS,
    **indonesian_acts.WORDS,
}
TRANSLATED: Final[Mapping[str, Mapping[str, str]]] = {"en": {}, "id": INDONESIAN}
"""Languages by the names that `ui.language` uses."""


class Say(msgspec.Struct, frozen=True):
    """Sentences in one language; one that is not known counts as English."""

    language: str = "en"

    def __call__(self, text: str, /, **values: object) -> str:
        """A sentence with its values, such as `say("{count} open", count=3)`."""
        return TRANSLATED.get(self.language, {}).get(text, text).format(**values)


ENGLISH: Final = Say()


def in_every_language(title: str, sentence: str) -> dict[str, tuple[str, str]]:
    """Two sentences without values in every language but English."""
    others = (Say(name) for name in TRANSLATED if name != ENGLISH.language)
    return {say.language: (say(title), say(sentence)) for say in others}
