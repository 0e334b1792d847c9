"""`compare`: two sets of images in, a `ComparisonResult` out. The whole method, in the order in which it happens.

Both branches see all images for what they say of the sets as a whole. What goes into the one list is proposed on the
finding half alone and verified on the other half (docs/methods.md, 7).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from latentdiff.combine import CombineSettings, combine
from latentdiff.concepts import ConceptSettings, LatentStatistics, concept_branch, sum_latents
from latentdiff.density import DensitySettings, density_branch, hypotheses
from latentdiff.dictionary import SaeSettings, find_sae, open_or_embed
from latentdiff.embeddings import EmbeddingSet, EmbedSettings, check_same_space
from latentdiff.errors import LatentDiffError
from latentdiff.findings import ComparisonResult, ConceptResult, DensityResult, Finding, ImageRef, Side, Verification
from latentdiff.health import summarise_set
from latentdiff.images import decode, read_images
from latentdiff.language import Difference, LanguageSettings, load_captioner, summarise
from latentdiff.naming import (
    LatentName,
    NamingSettings,
    WordVectors,
    build_vocabulary,
    embed_vocabulary,
    exemplar_directions,
    name_directions,
)
from latentdiff.report import ReportSettings, write_report, write_results
from latentdiff.runlog import RunLog
from latentdiff.verify import VerifySettings, in_verification, verify
from sae_training.files import replacing

if TYPE_CHECKING:
    from latentdiff.encoders import Encoder
    from sae_training import SparseAutoencoder

Progress = Callable[[str, int, int | None], None]
Sets = dict[Side, EmbeddingSet]

NAMING_SAMPLE = 4096  # rows that show what a random direction among these images is like


@dataclass(frozen=True)
class CompareSettings:
    """The settings of every part, each beside the code it steers."""

    embed: EmbedSettings = field(default_factory=EmbedSettings)
    sae: SaeSettings = field(default_factory=SaeSettings)
    naming: NamingSettings = field(default_factory=NamingSettings)
    concepts: ConceptSettings = field(default_factory=ConceptSettings)
    density: DensitySettings = field(default_factory=DensitySettings)
    language: LanguageSettings = field(default_factory=LanguageSettings)
    verify: VerifySettings = field(default_factory=VerifySettings)
    combine: CombineSettings = field(default_factory=CombineSettings)
    report: ReportSettings = field(default_factory=ReportSettings)


def compare(
    a: str | Path | EmbeddingSet,
    b: str | Path | EmbeddingSet,
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
        sae: a trained sparse autoencoder or its folder; without one, see `find_sae`.
        settings: of every part.
        out: folder for report.html, result.json, findings.parquet, run.json and the embeddings; None writes nothing.
        device: where models run: "cpu", "cuda", ..., or "auto".
        command: what to show as the command that repeats the run.
        progress: told (stage, done, total).

    Raises:
        LatentDiffError: for whatever the user can mend.
    """
    log = RunLog(command)
    model = _encoder(encoder, device)
    with log.timed("embedding"):
        sets = _open_sets(a, b, model, None if out is None else Path(out), settings.embed, progress)
    with log.timed("sparse autoencoder"):
        dictionary, origin = find_sae(sae, sets["a"], sets["b"], model, settings.sae, settings.embed, progress)
    with log.timed("codes"):
        statistics = {side: sum_latents(dictionary, sets[side], progress).compute() for side in sets}
    with log.timed("names"):
        words = embed_vocabulary(build_vocabulary(settings.naming), model, settings.naming, progress=progress)
        names = _name_latents(dictionary, sets, statistics, words, settings.naming)
    decoder = dictionary.W_dec.detach().cpu().numpy()
    branch = _ConceptBranch(sets, names, decoder, settings.concepts)
    with log.timed("concept branch"):
        concepts = branch.run(statistics)
    with log.timed("density branch and verification"):
        if settings.verify.enabled:
            proposed, density = _propose_and_verify(sets, statistics, branch, words, model, settings, device, progress)
            concepts = replace(concepts, findings=_with_verification(concepts.findings, proposed))
        else:
            proposed, density = _propose(sets, concepts, words, model, settings, device, progress)
    findings = combine(proposed, density.hypotheses if density else (), _first_words(proposed, density, words, model), settings.combine)
    p_value = _overall_p(concepts, density, findings)
    different = p_value <= settings.concepts.level
    result = ComparisonResult(
        different=different,
        p_value=p_value,
        verdict=_verdict(different, concepts, findings),
        a=summarise_set("A", sets["a"], sets["b"]),
        b=summarise_set("B", sets["b"], sets["a"]),
        encoder=f"{model.name} ({model.fingerprint})",
        sae=origin,
        concepts=concepts,
        density=density,
        findings=findings,
        settings=asdict(settings),
        run=log.finish(sets={side: one.digest for side, one in sets.items()}),
    )
    if out is not None:
        write(result, Path(out), settings.report)
    return result


def write(result: ComparisonResult, out: Path, settings: ReportSettings = ReportSettings()) -> None:
    """Writes report.html, result.json, findings.parquet, config.yaml and run.json, each whole or not at all."""
    import json

    from omegaconf import OmegaConf

    uris = {ref.uri for ref in _references(result) if ref.uri}
    write_report(result, out / "report.html", read_images(sorted(uris)) if settings.thumbnails else {})
    write_results(result, out)
    with replacing(out / "config.yaml") as temporary:
        temporary.write_text(OmegaConf.to_yaml(OmegaConf.create(dict(result.settings))), encoding="utf-8")
    with replacing(out / "run.json") as temporary:
        temporary.write_text(json.dumps(dict(result.run), indent=1) + "\n", encoding="utf-8")


# -- the sets and the names -------------------------------------------------------------------------------------------


def _encoder(encoder: Encoder | str, device: str) -> Encoder:
    from latentdiff.encoders import load_encoder

    return load_encoder(encoder, device) if isinstance(encoder, str) else encoder


def _open_sets(
    a: str | Path | EmbeddingSet,
    b: str | Path | EmbeddingSet,
    encoder: Encoder,
    out: Path | None,
    settings: EmbedSettings,
    progress: Progress | None,
) -> Sets:
    sets: Sets = {}
    for side, spec in (("a", a), ("b", b)):
        folder = out / "embeddings" / side if out else None

        def tell(stage: str, done: int, total: int | None, side: str = side) -> None:
            if progress:
                progress(f"{stage} {side.upper()}", done, total)

        sets[side] = open_or_embed(spec, encoder, folder, replace(settings, overwrite=True), tell)  # type: ignore[index]
        if sets[side].fingerprint not in (None, encoder.fingerprint):  # type: ignore[index]
            raise LatentDiffError(
                f"set {side.upper()} was embedded with {sets[side].fingerprint}, the encoder is {encoder.fingerprint}; "  # type: ignore[index]
                "name the encoder that made it with encoder=..."
            )
        if sets[side].d != encoder.dimension:  # type: ignore[index]
            raise LatentDiffError(
                f"set {side.upper()} has embeddings of width {sets[side].d}, the encoder {encoder.name} makes "  # type: ignore[index]
                f"{encoder.dimension}; name the encoder that made it with encoder=..."
            )
        if sets[side].n < 2:  # type: ignore[index]
            raise LatentDiffError(
                f"set {side.upper()} ({spec}) has only {sets[side].n} image; a comparison needs at least two on each side"  # type: ignore[index]
            )
    check_same_space(sets["a"], sets["b"])
    return sets


def _name_latents(
    sae: SparseAutoencoder, sets: Sets, statistics: dict[Side, LatentStatistics], words: WordVectors, settings: NamingSettings
) -> list[LatentName]:
    """The words of every latent, from its decoder row or from the images of both sets that fire it most."""
    sample = np.concatenate([_spread(one, NAMING_SAMPLE // 2) for one in sets.values()])
    directions = sae.W_dec.detach().cpu().numpy()
    if settings.source == "exemplars":
        mean = sae.mean.cpu().numpy()
        by_side = [
            exemplar_directions(s.starts, s.rows, s.values, sets[side], mean) for side, s in statistics.items()
        ]
        weights = [s.counts / np.maximum(sum(t.counts for t in statistics.values()), 1) for s in statistics.values()]
        directions = sum(w[:, None] * d for w, d in zip(weights, by_side, strict=True))  # type: ignore[assignment]
    return name_directions(directions, words, sample, settings)


def _spread(embeddings: EmbeddingSet, count: int) -> np.ndarray:
    """Up to `count` rows, chosen by content so that the order of the set does not matter."""
    return embeddings.rows(np.argsort(embeddings.hashes, kind="stable")[:count])


# -- the branches -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _ConceptBranch:
    """The concept branch with all that stays the same between the whole sets and their finding halves."""

    sets: Sets
    names: Sequence[LatentName]
    decoder: np.ndarray
    settings: ConceptSettings

    def run(self, statistics: dict[Side, LatentStatistics]) -> ConceptResult:
        refs = _references_into(self.sets)
        return concept_branch(statistics["a"], statistics["b"], self.names, self.decoder, self.settings, refs)


def _propose(
    sets: Sets, concepts: ConceptResult, words: WordVectors, encoder: Encoder, settings: CompareSettings, device: str, progress: Progress | None
) -> tuple[tuple[Finding, ...], DensityResult | None]:
    """Both branches on all images, nothing held back (`verify.enabled=false`, the paper's way)."""
    from latentdiff.evidence import gather_evidence

    density, differences = _density(sets, {side: np.arange(one.n) for side, one in sets.items()}, words, settings, device, progress)
    if density is None:
        return concepts.findings, None
    captions = {side: [ref.caption for ref in density.extreme if ref.side == side] for side in sets}
    phrases = []
    for difference in differences:
        said = {side: sum(difference.phrase in caption for caption in captions[side]) for side in sets}
        evidence = gather_evidence(
            np.array([said["a"]]), max(len(captions["a"]), 1), np.array([said["b"]]), max(len(captions["b"]), 1), np.array([1.0]), np.array([1.0])
        )
        phrases.append(
            Finding(difference.side, ("density",), (difference.phrase,), True, float(len(difference.support)), evidence[0])
        )
    return concepts.findings, replace(density, hypotheses=tuple(phrases))


def _propose_and_verify(
    sets: Sets,
    statistics: dict[Side, LatentStatistics],
    branch: _ConceptBranch,
    words: WordVectors,
    encoder: Encoder,
    settings: CompareSettings,
    device: str,
    progress: Progress | None,
) -> tuple[tuple[Finding, ...], DensityResult | None]:
    """Both branches on the finding half; every text they propose is tested on the other half, all of them together."""
    held = {side: in_verification(one.hashes, settings.verify.share, settings.verify.seed) for side, one in sets.items()}
    finding = {side: np.flatnonzero(~held[side]) for side in sets}
    checking = {side: np.flatnonzero(held[side]) for side in sets}
    if not all(len(rows) for rows in (*finding.values(), *checking.values())):
        return (), None
    proposals = branch.run({side: one.restrict(~held[side]) for side, one in statistics.items()}).findings
    density, differences = _density(sets, finding, words, settings, device, progress)
    texts = [f.words for f in proposals] + [(d.phrase,) for d in differences]
    answers = verify(
        _text_vectors(texts, words, encoder),
        [f.side for f in proposals] + [d.side for d in differences],
        np.full(len(texts), np.nan),
        (sets["a"].rows(finding["a"]), sets["b"].rows(finding["b"])),
        (sets["a"].rows(checking["a"]), sets["b"].rows(checking["b"])),
        settings.verify.level,
    )
    verified = tuple(replace(f, verification=v) for f, v in zip(proposals, answers, strict=False))
    if density is not None:
        density = replace(density, hypotheses=hypotheses(density.extreme, differences, answers[len(proposals) :]))
    return verified, density


def _density(
    sets: Sets, rows: dict[Side, np.ndarray], words: WordVectors, settings: CompareSettings, device: str, progress: Progress | None
) -> tuple[DensityResult | None, list[Difference]]:
    """The density branch on some rows of each set, its images captioned, and what the captions say."""
    if not settings.density.enabled:
        return None, []
    views = {side: one.select(rows[side]) for side, one in sets.items()}
    result = density_branch(views["a"], views["b"], settings.density, _references_into(sets, rows), progress)
    if not result.extreme:
        return result, []
    embeddings = np.stack([sets[ref.side].rows(np.array([ref.row]))[0] for ref in result.extreme])
    mean = np.mean([one.rows(slice(None)).mean(0) for one in views.values()], axis=0)
    captioner = load_captioner(settings.language, words, mean, "cpu" if device == "auto" else device)
    captions = captioner.caption(_pictures(result.extreme, settings.language), embeddings)
    extreme = tuple(replace(ref, caption=caption) for ref, caption in zip(result.extreme, captions, strict=True))
    said: dict[Side, list[str]] = {side: [ref.caption for ref in extreme if ref.side == side] for side in sets}
    return replace(result, extreme=extreme), summarise(said["a"], said["b"], settings.language)


def _pictures(refs: Sequence[ImageRef], settings: LanguageSettings) -> list[Any]:
    """The images themselves, for captioners that look at them."""
    if settings.captioner == "tags":
        return [None] * len(refs)
    found = read_images([ref.uri for ref in refs if ref.uri])
    return [decode(found[ref.uri]) if ref.uri in found else None for ref in refs]


def _references_into(sets: Sets, rows: dict[Side, np.ndarray] | None = None) -> Callable[[Side, np.ndarray, np.ndarray], tuple[ImageRef, ...]]:
    """Makes image references; `rows` says which rows of each set a branch was shown."""

    def refs(side: Side, positions: np.ndarray, values: np.ndarray) -> tuple[ImageRef, ...]:
        positions = positions if rows is None else rows[side][positions]
        table = sets[side].table.select([c for c in ("id", "uri") if c in sets[side].table.column_names])
        return tuple(
            ImageRef(side, int(row), str(one.get("id", row)), one.get("uri") or "", float(value))
            for row, value, one in zip(positions, values, table.take(positions).to_pylist(), strict=True)
        )

    return refs


def _text_vectors(texts: Sequence[tuple[str, ...]], words: WordVectors, encoder: Encoder) -> np.ndarray:
    """One unit vector per hypothesis [h, d]: the mean of its words' vectors."""
    if not texts:
        return np.zeros((0, words.vectors.shape[1]), np.float32)
    known = {word: row for row, word in enumerate(words.words)}
    fresh = sorted({word for text in texts for word in text if word not in known})
    extra = dict(zip(fresh, words.text(encoder, fresh), strict=True)) if fresh else {}
    means = np.stack([np.mean([words.vectors[known[w]] if w in known else extra[w] for w in text], axis=0) for text in texts])
    return means / np.linalg.norm(means, axis=1, keepdims=True)


def _first_words(proposed: Sequence[Finding], density: DensityResult | None, words: WordVectors, encoder: Encoder) -> dict[str, np.ndarray]:
    """The vector of each finding's first word, by which near-synonyms merge."""
    findings = [*proposed, *(density.hypotheses if density else ())]
    first = sorted({f.words[0] for f in findings if f.words})
    return dict(zip(first, _text_vectors([(word,) for word in first], words, encoder), strict=True))


def _with_verification(findings: Sequence[Finding], proposed: Sequence[Finding]) -> tuple[Finding, ...]:
    """Findings on all images, with what verification said where the finding half proposed the same latent."""
    answers: dict[tuple[int | None, Side], Verification | None] = {(f.latent, f.side): f.verification for f in proposed}
    return tuple(replace(f, verification=answers.get((f.latent, f.side))) for f in findings)


# -- the verdict ------------------------------------------------------------------------------------------------------


def _overall_p(concepts: ConceptResult, density: DensityResult | None, findings: Sequence[Finding]) -> float:
    """p of "no difference at all": the smallest of the tests that could say otherwise, times their number."""
    tests = [min((q for _, q in concepts.volcano), default=1.0)]
    if density is not None:
        tests.append(density.p_value)
    verified = [f.verification.evidence.q_value for f in findings if f.verification]
    if verified:
        tests.append(min(verified))
    return min(1.0, len(tests) * min(tests))


def _verdict(different: bool, concepts: ConceptResult, findings: Sequence[Finding]) -> str:
    if not different:
        return (
            "No difference found: at these sizes, something in at least "
            f"{concepts.smallest_detectable:.1%} of one set and none of the other would have been seen."
        )
    confirmed = sum(f.verification is not None and f.verification.status == "confirmed" for f in findings)
    found = f"{concepts.significant} of {concepts.tested:,} latents differ"
    return f"The sets differ: {found}, and {confirmed} named finding{'' if confirmed == 1 else 's'} held on images kept aside to check."


def _references(result: ComparisonResult) -> list[ImageRef]:
    """Every image that the report may show."""
    findings = [*result.findings, *result.concepts.findings, *(result.density.hypotheses if result.density else ())]
    refs = [ref for f in findings for ref in (*f.images, *f.near_misses)]
    return refs + list(result.density.extreme if result.density else ())
