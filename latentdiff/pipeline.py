"""`compare`: two sets of images in, a `ComparisonResult` out. The whole method, in the order in which it happens.

Contrast -> proposers -> hypotheses -> verification -> ranking -> verdict -> report (CONTRIBUTING.md has the picture).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from latentdiff import metadata
from latentdiff.contrasts import Contrast
from latentdiff.embeddings import EmbeddingSet, EmbedSettings, check_encoder, check_same_space
from latentdiff.encoders import load_encoder
from latentdiff.errors import LatentDiffError
from latentdiff.health import summarise_set
from latentdiff.hypotheses import SIDES, About, Finding, Side
from latentdiff.images import read_images
from latentdiff.language import LanguageSettings
from latentdiff.naming import (
    NamingSettings,
    WordVectors,
    build_vocabulary,
    embed_vocabulary,
    make_namer,
    text_vectors,
)
from latentdiff.proposers import Latents, Proposal, Workspace, choose_proposers
from latentdiff.proposers.density_ratio import DensitySettings
from latentdiff.proposers.latent_statistics import LatentStatistics, sum_latents
from latentdiff.proposers.mean_shift import MeanShiftSettings
from latentdiff.proposers.sae_latents import ConceptSettings
from latentdiff.proposers.visdiff import VisDiffSettings
from latentdiff.proposers.word_tails import WordTailsSettings
from latentdiff.ranking import CombineSettings, rank
from latentdiff.report import ReportSettings, image_uris, write_report, write_results
from latentdiff.result import ComparisonResult, EncoderUsed, ProposerOutcome, SaeOrigin
from latentdiff.runlog import RunLog
from latentdiff.sae_source import SaeSettings, check_inputs, open_or_embed, resolve_sae
from latentdiff.statistics import smallest_detectable
from latentdiff.verdict import Shares, Verdict, decide
from latentdiff.verification import HoldoutSplit, Verified, VerifySettings, hold_out, verify
from sae_training.files import replacing
from sae_training.progress import Progress

if TYPE_CHECKING:
    from latentdiff.encoders import Encoder
    from sae_training import SparseAutoencoder

Given = str | Path | EmbeddingSet

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class CompareSettings:
    """The settings of every part, each beside the code it steers."""

    proposers: tuple[str, ...] = ("sae_latents", "density_ratio")  # who proposes, of `PROPOSERS`
    level: float = 0.05  # of the verdict, shared out between all that could say that the sets differ
    known: tuple[str, ...] = ()  # texts of what the user knows of: everything else is asked given them
    given: tuple[str, ...] = ()  # columns of metadata: everything is asked given them
    embed: EmbedSettings = field(default_factory=EmbedSettings)
    sae: SaeSettings = field(default_factory=SaeSettings)
    naming: NamingSettings = field(default_factory=NamingSettings)
    concepts: ConceptSettings = field(default_factory=ConceptSettings)
    density: DensitySettings = field(default_factory=DensitySettings)
    mean_shift: MeanShiftSettings = field(default_factory=MeanShiftSettings)
    word_tails: WordTailsSettings = field(default_factory=WordTailsSettings)
    visdiff: VisDiffSettings = field(default_factory=VisDiffSettings)
    language: LanguageSettings = field(default_factory=LanguageSettings)
    verify: VerifySettings = field(default_factory=VerifySettings)
    combine: CombineSettings = field(default_factory=CombineSettings)
    report: ReportSettings = field(default_factory=ReportSettings)

    def __post_init__(self) -> None:
        """Raises LatentDiffError with a proposer that there is not, or a level out of its range."""
        choose_proposers(self.proposers)
        if not 0 < self.level < 1:
            raise LatentDiffError(f"level must lie between 0 and 1, both excluded; it is {self.level}")


def compare(
    a: Given,
    b: Given,
    *,
    encoder: Encoder | str = "mini",
    sae: SparseAutoencoder | Path | str | None = None,
    settings: CompareSettings = CompareSettings(),
    out: Path | str | None = None,
    device: str = "auto",
    command: str = "",
    progress: Progress | None = None,
) -> ComparisonResult:
    """How two sets of images differ.

    Exchanging the sets exchanges the sides of every finding and changes nothing else, for a given SAE.

    Args:
        a: the first set: a folder, shards, a manifest, `world:...`, or an embedding set.
        b: the second set.
        encoder: a frozen encoder, or its name.
        sae: a trained sparse autoencoder or its folder; without one, see `resolve_sae`.
        settings: of every part.
        out: folder for report.html, result.json, findings.parquet, run.json and the embeddings; None writes nothing.
        device: where models run: "cpu", "cuda", ..., or "auto".
        command: what to show as the command that repeats the run.
        progress: told (stage, done, total).

    Raises:
        LatentDiffError: for whatever the user can mend.
    """
    log = RunLog(command)
    proposers = choose_proposers(settings.proposers)
    given = sae if sae is not None else settings.sae.path
    needs_sae = any(one.needs_latents for one in proposers.values())
    check_inputs((a, b), given if needs_sae else None)
    if given is not None and not needs_sae:
        logger.warning("no SAE is needed: none of proposers=%s looks at latents", ",".join(proposers))
    model = load_encoder(encoder, device, settings.embed.precision) if isinstance(encoder, str) else encoder
    with log.timed("embedding"):
        contrast = _open_contrast(a, b, model, None if out is None else Path(out), settings.embed, progress)
    workspace, origin = _open_workspace(contrast, model, given, needs_sae, settings, device, log, progress)
    split = hold_out(contrast, settings.verify)
    shares = Shares.between(
        settings.level,
        [name for name, one in proposers.items() if one.needs_latents],
        [name for name, one in proposers.items() if not one.needs_latents],
    )
    proposals: dict[str, Proposal] = {}
    for name, proposer in proposers.items():
        with log.timed(name):
            asked = replace(settings, level=shares.level_of(name))
            proposals[name] = proposer.propose(split.discovery, workspace, asked, progress)
    own_tests = {name for name, one in proposals.items() if one.p_value is not None}
    shares = replace(shares, halved=frozenset(own_tests - {n for n, one in proposers.items() if one.needs_latents}))
    with log.timed("verification"):
        verified = verify(proposals, split, workspace, settings.verify, shares, settings.known, settings.given)
    first_words = _first_word_vectors(verified.findings, workspace.words, model)
    result = ComparisonResult(
        verdict=_decide(contrast, split, proposals, verified, shares),
        a=summarise_set("A", contrast.sets["a"], contrast.sets["b"]),
        b=summarise_set("B", contrast.sets["b"], contrast.sets["a"]),
        encoder=EncoderUsed(model.name, model.fingerprint),
        sae=origin,
        shift=verified.shift,
        ranking=rank(verified.findings, first_words, settings.combine, verified.under),
        controls=verified.controls,
        metadata=verified.metadata,
        proposers={name: ProposerOutcome(p.p_value, p.artefact, p.not_run) for name, p in proposals.items()},
        settings=asdict(settings),
        run=log.finish(sets={side: contrast.sets[side].digest for side in SIDES}),
    )
    if out is not None:
        write(result, Path(out), settings.report)
    return result


def describe_latents(
    sae: SparseAutoencoder, statistics: Mapping[Side, LatentStatistics], words: WordVectors, naming: NamingSettings
) -> Latents:
    """What proposers know of latents: how they fire, and what names them.

    Args:
        sae: they are of.
        statistics: how they fire in each set.
        words: the vocabulary among the images.
        naming: how names are chosen.
    """
    decoder = sae.W_dec.detach().cpu().numpy()
    return Latents(statistics, decoder, make_namer(decoder, words, naming))


def write(result: ComparisonResult, out: Path, settings: ReportSettings = ReportSettings()) -> None:
    """Writes report.html, result.json, findings.parquet, config.yaml and run.json, each whole or not at all."""
    import json

    from omegaconf import OmegaConf

    write_report(result, out / "report.html", read_images(image_uris(result)) if settings.thumbnails else {})
    write_results(result, out)
    with replacing(out / "config.yaml") as temporary:
        temporary.write_text(OmegaConf.to_yaml(OmegaConf.create(dict(result.settings))), encoding="utf-8")
    with replacing(out / "run.json") as temporary:
        temporary.write_text(json.dumps(dict(result.run), indent=1) + "\n", encoding="utf-8")


def _open_contrast(
    a: Given, b: Given, encoder: Encoder, out: Path | None, settings: EmbedSettings, progress: Progress | None
) -> Contrast:
    sets: dict[Side, EmbeddingSet] = {}
    for side, spec in zip(SIDES, (a, b), strict=True):

        def tell(stage: str, done: int, total: int | None, name: str = side.upper()) -> None:
            if progress:
                progress(f"{stage} {name}", done, total)

        # the folder belongs to this report: what another run left there for other images is replaced
        folder = out / "embeddings" / side if out else None
        if out and isinstance(spec, (str, Path)) and (out / "embeddings").resolve() in Path(spec).resolve().parents:
            raise LatentDiffError(f"{spec} lies in the report that would be written ({out}); choose another --out")
        sets[side] = open_or_embed(spec, encoder, folder, replace(settings, overwrite=True), tell)
        label = f"set {side.upper()} ({sets[side].source})"
        check_encoder(label, sets[side], encoder)
        if sets[side].n < 2:
            raise LatentDiffError(f"{label} has only one image; a comparison needs at least two on each side")
    check_same_space(sets["a"], sets["b"])
    return Contrast.between(sets["a"], sets["b"])


def _open_workspace(
    contrast: Contrast,
    encoder: Encoder,
    sae: SparseAutoencoder | Path | str | None,
    needs_sae: bool,
    settings: CompareSettings,
    device: str,
    log: RunLog,
    progress: Progress | None,
) -> tuple[Workspace, SaeOrigin | None]:
    """What the chosen proposers share, and where the sparse autoencoder came from, if one of them needs it."""
    latents, origin = None, None
    if needs_sae:
        with log.timed("sparse autoencoder"):
            a, b = (contrast.sets[side] for side in SIDES)
            model, origin = resolve_sae(sae, a, b, encoder, settings.sae, settings.embed, progress)
        with log.timed("codes"):
            statistics = {side: sum_latents(model, contrast.sets[side], progress).compute() for side in SIDES}
    with log.timed("names"):
        words = embed_vocabulary(build_vocabulary(settings.naming), encoder, settings.naming, progress=progress)
        if needs_sae:
            latents = describe_latents(model, statistics, words, settings.naming)
    strata = contrast.pooled.reorder(metadata.strata(contrast, settings.given)) if settings.given else None
    return Workspace(contrast, encoder, words, latents, device, strata), origin


def _first_word_vectors(findings: Sequence[Finding], words: WordVectors, encoder: Encoder) -> Mapping[str, np.ndarray]:
    """The vector of each finding's first word, by which near-synonyms merge."""
    texts = (f.words for f in findings if f.words and f.hypothesis.about is About.IMAGES)
    first = sorted({words[0] for words in texts})
    return dict(zip(first, text_vectors([(word,) for word in first], words, encoder), strict=True))


def _decide(
    contrast: Contrast, split: HoldoutSplit, proposals: Mapping[str, Proposal], verified: Verified, shares: Shares
) -> Verdict:
    """The verdict of all tests that could have said that the groups differ: proposers' own, and of their texts."""
    own = {name: one.p_value for name, one in proposals.items() if one.p_value is not None}
    tests = [(p, shares.share(name)) for name, p in (*own.items(), *verified.p_values.items())]
    cuts = [one.cut for one in proposals.values() if one.cut]
    if cuts:
        return decide(tests, shares.level, smallest_detectable(contrast.size("a"), contrast.size("b"), max(cuts)))
    if not own and split.validation and tests:  # texts alone, on few images: no text could have passed
        sizes = split.validation.size("a"), split.validation.size("b")
        if (would_show := smallest_detectable(*sizes, shares.level)) >= 1:
            return decide(tests, shares.level, would_show)
    return decide(tests, shares.level, None)
