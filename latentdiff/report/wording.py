"""How a verdict, shares, a proposer that did not run and an SAE's origin are worded, for the page and the terminal."""

from __future__ import annotations

from latentdiff.hypotheses import SIDES, Finding, Status
from latentdiff.proposers import PROPOSERS
from latentdiff.proposers.sae_latents import LatentDifferences
from latentdiff.report.artefacts import artefact_of
from latentdiff.result import ComparisonResult, SaeOrigin, SaeSource
from latentdiff.verdict import NotRun, VerdictKind

NOTHING = "No difference found"
TOO_FEW = "Too few images to tell"
NOTHING_WOULD_SHOW = "even what is in every image of one set and in none of the other would not show."
UNKNOWN = "Nothing says whether the sets differ at all."

# What the numbers beside a finding are; both the terminal and the page say it.
SHARES = (
    "A and B: of what is confirmed, and of phrases, the share of held-back images that match the words (by a "
    "threshold; no count of objects). Of other latents, the share of images that fire them."
)
SHARES_UNCHECKED = "A and B: the share of images that fire a latent; of a phrase, the share of captions that say it."
SHARES_OF_WORDS = "A and B: the share of held-back images that match the words (by a threshold; no count of objects)."
SHARES_OF_METADATA = "Of metadata, the share of images of A and of B that have it."
SHARES_OF_WORDS_UNCHECKED = "A and B: the share of images that are among those nearest to the word."


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
        case _:
            return ""


def titles(proposers: tuple[str, ...]) -> str:
    """What people call some proposers: "density ratio + SAE latents"."""
    return " + ".join(PROPOSERS[name].title if name in PROPOSERS else name for name in proposers)


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
    found = artefact_of(result, LatentDifferences)
    sure = [f for f in result.findings if f.words and _is_sure(f, result.verdict.level)]
    if not sure and not any(f.verification for f in result.findings):
        return f"{f': {found.significant} of {found.tested:,} latents' if found else ''} (nothing was verified)."
    first = {f.side: f.words[0] for f in reversed(sure)}
    if not first:
        return ", but no word for it held on the images kept aside to check."
    return f": {' and '.join(f'more {word} in {side.upper()}' for side, word in sorted(first.items()))}."


def _is_sure(finding: Finding, level: float) -> bool:
    """Confirmed, or tested by its proposer and significant."""
    if finding.status is Status.TESTED:
        return finding.evidence is not None and finding.evidence.q_value <= level
    return finding.status is Status.CONFIRMED


def _what_ranks_first(result: ComparisonResult) -> str:
    first = [(side, next((f.words[0] for f in result.side(side) if f.words), "")) for side in SIDES]
    ranked = [f"{word} for {side.upper()}" for side, word in first if word]
    return f"Ranked first: {', '.join(ranked)}" if ranked else "Nothing was proposed"


def _what_would_show(smallest: float | None) -> str:
    if smallest is None:
        return ""
    return f": a latent that fires in at least {smallest:.1%} of one set and never in the other would have been seen"
