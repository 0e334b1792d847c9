"""The words a latent may be called by: common English words, object phrases, names of things from WordNet, domain
lists, the user's own file.

The 20,000 most common words follow the paper (docs/methods.md, 2). Our lists are plain text in `data/`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from latentdiff.errors import LatentDiffError
from latentdiff.naming.fold import fold
from latentdiff.naming.things import thing_names
from latentdiff.naming.unwanted import unwanted

TEMPLATES = ("{}", "a photo of a {}.", "a picture of {}.")
DOMAINS = ("medical", "satellite")
SOURCES = ("difference", "exemplars", "decoder")
_DATA = Path(__file__).parent / "data"
_ALL_THINGS = 10**6  # more names than there are


@dataclass(frozen=True)
class NamingSettings:
    """What latents may be called by, and how a name is chosen."""

    words: int = 20_000  # most common English words
    phrases: bool = True  # object names, most of them of several words
    things: int = 20_000  # names of things from WordNet beside them, those of most use first; at most so many
    domains: tuple[str, ...] = ()  # further lists, of DOMAINS
    file: str | None = None  # the user's own words and phrases, one per line
    templates: tuple[str, ...] = TEMPLATES  # prompts whose text embeddings are averaged
    centre: bool = True  # subtract the vocabulary's mean (False: as in the paper)
    # what a finding's words are nearest to: what its latent's images have more of on its side, what the strongest of
    # them have in common, or the latent's decoder row, which is the same whatever is compared (SOURCES)
    source: str = "difference"
    csls: bool = False  # damp words that are near to everything
    words_per_latent: int = 5

    def __post_init__(self) -> None:
        faults = []
        if self.words < 0:
            faults.append(f"naming.words is {self.words}; use 0 or more")
        if self.things < 0:
            faults.append(f"naming.things is {self.things}; use 0 or more")
        if self.words_per_latent < 1:
            faults.append(f"naming.words_per_latent is {self.words_per_latent}; use 1 or more")
        if self.source not in SOURCES:
            faults.append(f"naming.source is '{self.source}'; use one of {', '.join(SOURCES)}")
        faults += [
            f"naming.domains has '{name}'; use of {', '.join(DOMAINS)}" for name in self.domains if name not in DOMAINS
        ]
        if not self.templates or any(template.count("{}") != 1 for template in self.templates):
            faults.append(f"naming.templates is {list(self.templates)}; each needs one {{}} for the word")
        if faults:
            raise LatentDiffError(*faults)


@dataclass(frozen=True)
class Vocabulary:
    """Words and phrases, each once: common words by frequency, objects, things, domain lists, the user's file."""

    words: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.words)


def build_vocabulary(settings: NamingSettings = NamingSettings()) -> Vocabulary:
    """The vocabulary that the settings describe (docs/methods.md, 2).

    Raises:
        LatentDiffError: the user's file cannot be read, or nothing is left to name with.
    """
    words = list(common_words(settings.words))
    if settings.phrases:
        words += _list("objects")
    words += thing_names(settings.things, frozenset(map(fold, words)))
    for name in settings.domains:
        words += _list(name)
    if settings.file is not None:
        words += _user_phrases(Path(settings.file))
    if not words:
        raise LatentDiffError(
            "the vocabulary is empty; set naming.words, naming.phrases, naming.things, naming.domains or naming.file"
        )
    return Vocabulary(tuple(dict.fromkeys(words)))


@lru_cache(maxsize=4)  # a benchmark asks for them pair after pair
def common_words(count: int) -> tuple[str, ...]:
    """The `count` most common English words, most common first.

    Left out: stop words, profanity, given names, single letters, and whatever is not spelled with a to z alone.

    Raises:
        LatentDiffError: there are not that many.
    """
    from wordfreq import top_n_list

    frequent = (word for word in top_n_list("en", 2 * count + 5000) if _is_plain(word))
    words = [word for word in frequent if not unwanted(word)]
    if len(words) < count:
        raise LatentDiffError(f"naming.words is {count}, but only {len(words)} words are known; use fewer")
    return tuple(words[:count])


def without_things(words: Sequence[str]) -> list[int]:
    """Places of the words that are there for something else than for naming a thing.

    Style, light and the like have common words; among many names of things some lie nearer by their letters alone.

    Args:
        words: of a vocabulary.
    """
    common = {*common_words(NamingSettings.words), *_list("objects")}
    things = set(thing_names(_ALL_THINGS, frozenset()))
    return [place for place, word in enumerate(words) if word in common or word not in things]


def _is_plain(word: str) -> bool:
    return len(word) > 1 and word.isascii() and word.isalpha()


def _list(name: str) -> list[str]:
    return _phrases((_DATA / f"{name}.txt").read_text(encoding="utf-8"))


def _phrases(text: str) -> list[str]:
    """Phrases, one per line or separated by commas; lines that start with # are comments."""
    lines = (line for line in text.splitlines() if not line.lstrip().startswith("#"))
    return [phrase for line in lines for part in line.split(",") if (phrase := " ".join(part.split()))]


def _user_phrases(file: Path) -> list[str]:
    try:
        phrases = _phrases(file.expanduser().read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise LatentDiffError(
            f"naming.file {file}: {reason}; give a text file with one word or phrase per line"
        ) from None
    if not phrases:
        raise LatentDiffError(f"naming.file {file} has no words; give a text file with one word or phrase per line")
    return phrases
