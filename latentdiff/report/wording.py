"""How a verdict, a status, metadata, shares and where an SAE came from are worded, for the page and the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain

from latentdiff.hypotheses import SIDES, Finding, Interval, Status, opposite
from latentdiff.metadata import Kind, MetadataDifference
from latentdiff.presentation.numbers import number, percent, unit
from latentdiff.proposers import PROPOSERS
from latentdiff.proposers.density_ratio import DensityRatio
from latentdiff.proposers.sae_latents import LatentDifferences
from latentdiff.report.artefacts import artefact_of
from latentdiff.result import ComparisonResult, NegativeControls, OverallShift, SaeOrigin, SaeSource
from latentdiff.verdict import NotRun, VerdictKind

NOTHING = "No difference found"
TOO_FEW = "Too few images to tell"
NOTHING_WOULD_SHOW = "even what is in every image of one set and in none of the other would not show."
UNKNOWN = "Nothing says whether the sets differ at all."

# What the numbers beside a finding are; both the terminal and the page say it.
SHARES = (
    "A and B: the share of images that show a latent clearly; of a text, of held-back images nearer to it than most. "
    "Neither counts objects; the difference says better how many more images show it than the shares do."
)
SHARES_UNCHECKED = "A and B: the share of images that show a latent clearly; of a phrase, of captions that say it."
SHARES_OF_WORDS = "A and B: the share of held-back images that match the words (by a threshold; no count of objects)."
SHARES_OF_METADATA = "Of metadata, the share of images of A and of B that have it."
SHARES_OF_WORDS_UNCHECKED = "A and B: the share of images that are among those nearest to the word."
STATUS = {  # what a badge means
    Status.SHIFT: "the sets differ by it as wholes",
    Status.LEADS: "differs beyond chance, and no other difference explains it",
    Status.TRAVELS: "differs beyond chance, and what it stands under explains it",
    Status.DIFFERS: "differs beyond chance; nothing tells it from the overall shift",
    Status.TESTED: "tested by its proposer, on all images",
    Status.WEAK: "not told apart from chance",
    Status.REFUTED: "the images that tested it say otherwise",
    Status.NOT_CHECKED: "nothing tested its words",
}
ASIDE = {Status.TRAVELS: "explained by what was given"}  # what is set aside and not called by its status
NO_MORE_THAN_CHANCE = "no more than chance would give"
CANNOT_BE_TOLD = (
    "They lie so far apart that nothing else can be told from that difference. To see more, compare images of one kind "
    "at a time, or sets that share the kinds and name the column that holds them (given=column)."
)
MOST_METADATA = 4  # columns told beside the verdict; all are in the data's section


def word_verdict(result: ComparisonResult) -> str:
    """The verdict in one sentence: "The sets differ: more pizza in A and more guitar in B."."""
    match result.verdict.kind:
        case VerdictKind.DIFFERENT:
            return headline(result)
        case VerdictKind.TOO_FEW_IMAGES:
            return f"{TOO_FEW}: {NOTHING_WOULD_SHOW}"
        case VerdictKind.NOT_TESTED:
            return f"{headline(result)}. {UNKNOWN}"
        case VerdictKind.NO_DIFFERENCE:
            return f"{NOTHING}{_what_would_show(result.verdict.smallest_detectable)}."


def headline(result: ComparisonResult) -> str:
    """The verdict as the page's first line: without a difference just that, since what would show stands below."""
    match result.verdict.kind:
        case VerdictKind.DIFFERENT:
            return f"The sets differ{_what_differs(result)}"
        case VerdictKind.TOO_FEW_IMAGES:
            return TOO_FEW
        case VerdictKind.NOT_TESTED:
            return f"Not tested. {_what_ranks_first(result)}"
        case VerdictKind.NO_DIFFERENCE:
            return NOTHING


def lede(result: ComparisonResult) -> str:
    """What the first line leaves out, or ""."""
    match result.verdict.kind:
        case VerdictKind.TOO_FEW_IMAGES:
            return sentence(NOTHING_WOULD_SHOW)
        case VerdictKind.NOT_TESTED:
            proposers = tuple(name for name in result.proposers if result.proposed_by(name))
            return f"{UNKNOWN} Proposed by: {titles(proposers)}." if proposers else UNKNOWN
        case VerdictKind.DIFFERENT if result.shift and result.shift.separates:
            return CANNOT_BE_TOLD
        case _:
            return ""


def describe_shift(shift: OverallShift) -> str:
    """How far the sets differ as wholes: "AUROC .95, 95 %: .93 to .98: ..."."""
    return (
        f"{_area(shift.auroc, shift.auroc_interval)}: how far an image of one set lies along the "
        "difference of the means tells which set it is of, scored on images that did not set it; .5 is chance."
    )


def describe_density(density: DensityRatio, different: bool) -> str:
    """Whether the density ratio tells the sets apart, in one sentence; never against the verdict, `different`."""
    tells = density.different and different
    says = "some images of one set lie where the other has few" if tells else "by itself it tells nothing"
    return f"{says} ({_area(density.auroc, density.auroc_interval)}, out of fold)."


def describe_controls(controls: NegativeControls) -> str:
    """How often random words pass, in one sentence."""
    return (
        f"Negative control: of {controls.words} random words {percent(controls.given)} pass given the overall shift "
        f"and the leads, {percent(controls.alone)} by themselves."
    )


def describe_metadata(one: MetadataDifference) -> str:
    """A column that differs: "width: larger in A, median 640 against 480 (AUROC .75)"."""
    area = _area(one.auroc, one.auroc_interval)
    if one.side is None:
        return f"{one.column} differs ({area})"
    own, other = (one.a, one.b) if one.side == "a" else (one.b, one.a)
    side, opposite_side = one.side.upper(), opposite(one.side).upper()
    if one.kind == Kind.NUMBER:
        medians = f"{number(own.median)} against {number(other.median)}"
        return f"{one.column}: larger in {side}, median {medians} ({area})"
    value, shares = own.category or "no value", (percent(own.share), percent(own.other_share))
    return f"{one.column}: {value} in {shares[0]} of {side} and {shares[1]} of {opposite_side} ({area})"


def word_metadata(result: ComparisonResult) -> Iterator[str]:
    """A sentence for each column that differs, the most different first, with how many findings it explains."""
    places = [(one.finding, *one.alike, *one.travelling) for one in result.ranking]
    explained = Counter(column for f in chain(*places) if f.given for column in f.given.vanishes_given)
    for one in result.metadata:
        if one.differs:
            many = explained[one.column] if result.different else 0
            ending = f"; it alone explains {many} finding{'s' if many > 1 else ''}" if many else ""
            yield f"{describe_metadata(one)}{ending}."


def describe_vanishing(columns: Sequence[str]) -> str:
    """What marks a finding that metadata explains."""
    each = "" if len(columns) == 1 else "each of "
    return f"vanishes given {each}{', '.join(columns)}"


def titles(proposers: tuple[str, ...]) -> str:
    """What people call some proposers: "density ratio + SAE latents"."""
    return " + ".join(PROPOSERS[name].title if name in PROPOSERS else name.replace("_", " ") for name in proposers)


def sentence(text: str) -> str:
    """Text with a capital at its start; "SAE" stays as it is."""
    return text[:1].upper() + text[1:]


def describe_proposer(name: str) -> str:
    """What a proposer does, in one sentence: "SAE latents: latents of a sparse autoencoder that ..."."""
    return sentence(f"{titles((name,))}: {PROPOSERS[name].summary}." if name in PROPOSERS else f"{name}.")


def describe_not_run(not_run: NotRun) -> str:
    """Why a proposer did not run: "it needs 20 different images a side and has 15 and 19, ..."."""
    return (
        f"it needs {not_run.needed} different images a side and has {not_run.n_a:,} and {not_run.n_b:,} to propose from"
    )


def describe_sae(origin: SaeOrigin) -> str:
    """What a sparse autoencoder is and where it came from."""
    size = f"({origin.latents} latents, k {origin.k})"
    described = {
        SaeSource.GIVEN: f"{origin.path} {size}" if origin.path else f"given ({origin.latents} latents)",
        SaeSource.POOL: f"trained on {origin.images or 0:,} images of {origin.path} {size}",
        SaeSource.BUNDLED: f"bundled with mini {size}, since {origin.images or 0:,} images are few to train one on",
        SaeSource.SETS: f"trained for this comparison on both sets {size}",
    }[origin.source]
    threshold = ", its threshold set on both sets together" if origin.threshold_from_sets else ""
    encoder = "" if origin.names_encoder else ", of an encoder that its file does not name"
    return described + threshold + encoder


def _what_differs(result: ComparisonResult) -> str:
    """Of the overall shift and the leads alone."""
    sure = [f for f in result.findings if f.words and f.name_found and _is_sure(f, result.verdict.level)]
    shift = {f.side: f.words[0] for f in sure if f.status is Status.SHIFT}
    leads = {f.side: f.words[0] for f in reversed(sure) if f.status in (Status.LEADS, Status.TESTED)}
    said = " and ".join(f"more {word} in {side.upper()}" for side, word in sorted(leads.items()))
    if shift:
        ends = ", ".join(f"{side.upper()}: {word}" for side, word in sorted(shift.items()))
        return f" as wholes ({ends}){f'; beyond that, {said}' if said else ''}."
    if said:
        return f": {said}."
    if any(f.status is Status.LEADS for f in result.findings):
        return ", in what no word fits: see the images."
    if result.shift is None:
        found = artefact_of(result, LatentDifferences)
        return f"{f': {found.significant} of {found.tested:,} latents' if found else ''} (nothing was verified)."
    return ", but no finding says how."


def _is_sure(finding: Finding, level: float) -> bool:
    """Sure, or tested by its proposer and significant."""
    if finding.status is Status.TESTED:
        return finding.evidence is not None and finding.evidence.q_value <= level
    return finding.is_sure


def _what_ranks_first(result: ComparisonResult) -> str:
    first = [(side, next((f.words[0] for f in result.side(side) if f.words), "")) for side in SIDES]
    ranked = [f"{word} for {side.upper()}" for side, word in first if word]
    return f"Ranked first: {', '.join(ranked)}" if ranked else "Nothing was proposed"


def _what_would_show(smallest: float | None) -> str:
    if smallest is None:
        return ""
    seen = percent(smallest)
    return f": a latent that fires in at least {seen} of one set and never in the other would have been seen"


def _area(value: float, interval: Interval | None) -> str:
    """ "AUROC .95, 95 %: .93 to .98"."""
    ends = f", 95 %: {unit(interval.low)} to {unit(interval.high)}" if interval else ""
    return f"AUROC {unit(value)}{ends}"
