"""What both branches propose, and what images that took no part in proposing say of it (docs/methods.md, 5 to 7)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import numpy as np

from latentdiff.concepts import ConceptSettings, LatentStatistics, concept_branch
from latentdiff.density import DensitySettings, density_branch, hypotheses
from latentdiff.embeddings import EmbeddingSet, mean_of, pooled_mean
from latentdiff.findings import SIDES, ConceptResult, DensityResult, Finding, ImageRef, Side
from latentdiff.images import decode, read_images
from latentdiff.language import Difference, LanguageSettings, load_captioner, summarise
from latentdiff.naming import DIRECTIONS, Firings, LatentName, Namer, WordVectors
from latentdiff.verify import VerifySettings, in_verification, verify

if TYPE_CHECKING:
    from PIL.Image import Image

    from latentdiff.encoders import Encoder

Progress = Callable[[str, int, int | None], None]
RefsOf = Callable[[Side, np.ndarray, np.ndarray], tuple[ImageRef, ...]]
Rows = Mapping[Side, np.ndarray]

log = logging.getLogger(__name__)

_NEAR = 0.3  # text cosine with the first word below which a word says something else
_DEEP = 10  # how much further down the list on all images a proposal of the finding half is looked for


class ProposalSettings(Protocol):
    """The settings of the parts at work here."""

    @property
    def concepts(self) -> ConceptSettings: ...
    @property
    def density(self) -> DensitySettings: ...
    @property
    def language(self) -> LanguageSettings: ...
    @property
    def verify(self) -> VerifySettings: ...


@dataclass(frozen=True)
class Matter:
    """What is compared: both sets, how the SAE's latents fire in them, and what the latents are called."""

    sets: Mapping[Side, EmbeddingSet]
    statistics: Mapping[Side, LatentStatistics]
    names: Sequence[LatentName]
    decoder: np.ndarray  # [latents, d]
    words: WordVectors
    encoder: Encoder
    device: str
    namer: Namer
    source: str  # what a finding's words are nearest to, of `naming.SOURCES`

    def concept_branch(
        self, settings: ConceptSettings, without: Mapping[Side, np.ndarray] | None = None, *, named: bool = True
    ) -> ConceptResult:
        """The concept branch on all images, or on those of each set that a mask does not leave out.

        Args:
            settings: of the branch.
            without: masks [n] of the sets.
            named: whether findings are called as `source` says; else as their latents are.
        """
        statistics = dict(self.statistics)
        if without is not None:
            statistics = {side: one.restrict(~without[side]) for side, one in statistics.items()}
        arguments = (self.names, self.decoder, settings, references_into(self.sets))
        result = concept_branch(statistics["a"], statistics["b"], *arguments)
        if not named or self.source not in DIRECTIONS or not result.findings:
            return result
        # in the order of the latents, which does not know which set is A: a product's last bits may hang on it
        findings = sorted(result.findings, key=_latent)
        names = self.namer.name(np.stack([self._direction(finding, statistics) for finding in findings]))
        called = {_latent(finding): name for finding, name in zip(findings, names, strict=True)}
        return replace(
            result, findings=tuple(_renamed(finding, called[_latent(finding)]) for finding in result.findings)
        )

    @cached_property
    def centre(self) -> np.ndarray:
        """[d] the mean embedding of both sets."""
        return pooled_mean(self.sets["a"], self.sets["b"])

    def _direction(self, finding: Finding, statistics: Mapping[Side, LatentStatistics]) -> np.ndarray:
        """[d] what the words of a finding must be near to."""
        firings = {
            side: Firings(*one.firings(_latent(finding)), one.n, self.sets[side]) for side, one in statistics.items()
        }
        other: Side = "b" if finding.side == "a" else "a"
        return DIRECTIONS[self.source](firings[finding.side], firings[other], self.centre)

    def views(self, rows: Rows) -> tuple[EmbeddingSet, EmbeddingSet]:
        """Some rows of each set."""
        return self.sets["a"].select(rows["a"]), self.sets["b"].select(rows["b"])

    def density_branch(
        self, rows: Rows, settings: ProposalSettings, progress: Progress | None
    ) -> tuple[DensityResult | None, list[Difference]]:
        """The density branch on some rows of each set, its images captioned, and what the captions say."""
        if not settings.density.enabled:
            return None, []
        a, b = self.views(rows)
        result = density_branch(a, b, settings.density, references_into(self.sets, rows), progress)
        if not result.extreme:
            return result, []
        embeddings = np.stack([self.sets[ref.side].rows(np.array([ref.row]))[0] for ref in result.extreme])
        mean = (mean_of(a) + mean_of(b)) / 2
        captioner = load_captioner(settings.language, self.words, mean, self.device)
        captions = captioner.caption(_pictures(result.extreme, settings.language), embeddings)
        extreme = tuple(replace(ref, caption=said) for ref, said in zip(result.extreme, captions, strict=True))
        said = {side: [ref.caption for ref in extreme if ref.side == side] for side in SIDES}
        return replace(result, extreme=extreme), summarise(said["a"], said["b"], settings.language)


@dataclass(frozen=True, eq=False)
class Halves:
    """Which images of each set are held back to check what the others propose: masks [n], all False where none are."""

    held: Mapping[Side, np.ndarray]

    @property
    def checked(self) -> bool:
        """Whether any are held back."""
        return any(mask.any() for mask in self.held.values())

    @property
    def finding(self) -> Rows:
        """The rows that findings are proposed from."""
        return {side: np.flatnonzero(~mask) for side, mask in self.held.items()}

    @property
    def checking(self) -> Rows:
        """The rows held back."""
        return {side: np.flatnonzero(mask) for side, mask in self.held.items()}


def split(sets: Mapping[Side, EmbeddingSet], rule: VerifySettings) -> Halves:
    """The halves of both sets, by content; with `verify.enabled=false`, or of very few images, nothing is held back."""
    if rule.enabled:
        held = {side: in_verification(sets[side].hashes, rule.share, rule.seed) for side in SIDES}
        if all(mask.any() and not mask.all() for mask in held.values()):
            return Halves(held)
        log.warning("too few images to hold some back (verify.share): nothing is verified")
    return Halves({side: np.zeros(sets[side].n, bool) for side in SIDES})


def propose(matter: Matter, halves: Halves, concepts: ConceptResult, settings: ConceptSettings) -> tuple[Finding, ...]:
    """What the concept branch finds on the finding half, in the words of that half, with the numbers of all images.

    What a latent does in all images is the better evidence; where it is not among the first there, the half's stays.

    Args:
        matter: what is compared.
        halves: of its sets; where nothing is held back, the findings on all images are the proposals.
        concepts: the concept branch on all images.
        settings: of the branch.
    """
    if not halves.checked:
        return concepts.findings
    deep = replace(settings, per_side=_DEEP * settings.per_side)
    whole = {(f.side, f.latent): f for f in matter.concept_branch(deep, named=False).findings}
    half = matter.concept_branch(settings, halves.held).findings
    return tuple(_in_words_of(f, whole.get((f.side, f.latent), f)) for f in half)


def check(
    matter: Matter,
    halves: Halves,
    proposals: Sequence[Finding],
    density: DensityResult | None,
    differences: Sequence[Difference],
    level: float,
) -> tuple[tuple[Finding, ...], DensityResult | None]:
    """What the held-back images say of every text that both branches propose, all of them tested together.

    A latent that no word fits proposes no text and is not checked.

    Args:
        matter: what is compared.
        halves: of its sets; where nothing is held back, nothing is checked.
        proposals: of the concept branch, on the finding half.
        density: the density branch's answer on the finding half.
        differences: what the captions of its images say.
        level: q at or below which a text is confirmed.

    Returns:
        The proposals with what became of them, and the density branch with its phrases.
    """
    if not halves.checked:
        said = density and replace(density, hypotheses=hypotheses(density.extreme, differences))
        return tuple(proposals), said
    named = [f for f in proposals if f.name_found]
    texts = [f.words for f in named] + [(d.phrase,) for d in differences]
    answers = verify(
        text_vectors(texts, matter.words, matter.encoder),
        [f.side for f in named] + [d.side for d in differences],
        matter.views(halves.finding),
        matter.views(halves.checking),
        level,
    )
    checked = {(f.side, f.latent): answer for f, answer in zip(named, answers, strict=False)}
    verified = tuple(replace(f, verification=checked.get((f.side, f.latent))) for f in proposals)
    said = density and replace(density, hypotheses=hypotheses(density.extreme, differences, answers[len(named) :]))
    return verified, said


def with_verification(findings: Sequence[Finding], proposed: Sequence[Finding]) -> tuple[Finding, ...]:
    """Findings on all images; where a proposal of the same latent was checked, in its words, with what became of them.

    Words that all images chose were chosen by those held back too, which therefore cannot check them.
    """
    checked = {(f.side, f.latent): f for f in proposed if f.verification}
    found = ((f, checked.get((f.side, f.latent), f)) for f in findings)
    return tuple(replace(_in_words_of(said, f), verification=said.verification) for f, said in found)


def _in_words_of(one: Finding, other: Finding) -> Finding:
    """The second finding, called as the first is."""
    return _called(other, one.words, one.name_found, one.details.get("name_cosine"))


def _renamed(finding: Finding, name: LatentName) -> Finding:
    return _called(finding, name.words, name.found, name.cosines[0] if name.cosines else None)


def _called(finding: Finding, words: tuple[str, ...], found: bool, cosine: float | None) -> Finding:
    """A finding by another name; `name_cosine` is that of the name that is shown."""
    details = {key: value for key, value in finding.details.items() if key != "name_cosine"}
    details |= {} if cosine is None else {"name_cosine": cosine}
    return replace(finding, words=words, name_found=found, details=details)


def _latent(finding: Finding) -> int:
    assert finding.latent is not None  # a finding of the concept branch
    return finding.latent


def text_vectors(texts: Sequence[tuple[str, ...]], words: WordVectors, encoder: Encoder) -> np.ndarray:
    """One unit vector per hypothesis [h, d]: the mean of its first word's vector and of those near to it.

    The first word is what stands beside the verdict; one that says something else must not confirm it.

    Args:
        texts: one or more words or phrases each.
        words: the vocabulary among the images.
        encoder: of the texts that are not in it.
    """
    if not texts:
        return np.zeros((0, words.vectors.shape[1]), np.float32)
    known = {word: row for row, word in enumerate(words.words)}
    fresh = sorted({word for text in texts for word in text if word not in known})
    extra = dict(zip(fresh, words.text(encoder, fresh), strict=True)) if fresh else {}
    vectors = [[words.vectors[known[w]] if w in known else extra[w] for w in text] for text in texts]
    means = np.stack([np.mean([own[0], *(v for v in own[1:] if v @ own[0] >= _NEAR)], axis=0) for own in vectors])
    lengths = np.linalg.norm(means, axis=1, keepdims=True)
    return means / np.where(lengths > 0, lengths, 1)


def references_into(sets: Mapping[Side, EmbeddingSet], rows: Rows | None = None) -> RefsOf:
    """Makes image references; `rows` says which rows of each set a branch was shown."""

    def refs(side: Side, positions: np.ndarray, values: np.ndarray) -> tuple[ImageRef, ...]:
        positions = positions if rows is None else rows[side][positions]
        table = sets[side].table.select([c for c in ("id", "uri") if c in sets[side].table.column_names])
        return tuple(
            ImageRef(side, int(row), str(one.get("id", row)), one.get("uri") or "", float(value))
            for row, value, one in zip(positions, values, table.take(positions).to_pylist(), strict=True)
        )

    return refs


def _pictures(refs: Sequence[ImageRef], settings: LanguageSettings) -> list[Image | None]:
    """The images themselves, for captioners that look at them."""
    if settings.captioner == "tags":
        return [None] * len(refs)
    found = read_images([ref.uri for ref in refs if ref.uri])
    return [decode(found[ref.uri]) if ref.uri in found else None for ref in refs]
