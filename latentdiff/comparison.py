"""`compare`: two sets of images in, a `ComparisonResult` out. The whole method, in the order in which it happens.

The concept branch sees all images for what it says of the sets as a whole. What goes into the one list is proposed on
the finding half alone, by both branches, and verified on the other half (docs/methods.md, 7).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from latentdiff.combine import CombineSettings, combine, confidence
from latentdiff.concepts import ConceptSettings, sum_latents
from latentdiff.density import DensitySettings
from latentdiff.dictionary import SaeSettings, check_inputs, find_sae, open_or_embed
from latentdiff.embeddings import EmbeddingSet, EmbedSettings, check_same_space
from latentdiff.encoders import load_encoder
from latentdiff.errors import LatentDiffError
from latentdiff.evidence import smallest_detectable
from latentdiff.findings import SIDES, ComparisonResult, ConceptResult, DensityResult, Finding, ImageRef, Side
from latentdiff.health import summarise_set
from latentdiff.images import read_images
from latentdiff.language import LanguageSettings
from latentdiff.naming import (
    LatentName,
    Namer,
    NamingSettings,
    WordVectors,
    build_vocabulary,
    embed_vocabulary,
    name_latents,
)
from latentdiff.proposals import Matter, check, propose, split, text_vectors, with_verification
from latentdiff.report import NOTHING, TOO_FEW, ReportSettings, write_report, write_results
from latentdiff.runlog import RunLog
from latentdiff.verify import VerifySettings
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
    check_inputs((a, b), sae if sae is not None else settings.sae.path)
    model = load_encoder(encoder, device, settings.embed.precision) if isinstance(encoder, str) else encoder
    with log.timed("embedding"):
        sets = _open_sets(a, b, model, None if out is None else Path(out), settings.embed, progress)
    with log.timed("sparse autoencoder"):
        dictionary, origin = find_sae(sae, sets["a"], sets["b"], model, settings.sae, settings.embed, progress)
    with log.timed("codes"):
        statistics = {side: sum_latents(dictionary, sets[side], progress).compute() for side in sets}
    with log.timed("names"):
        words = embed_vocabulary(build_vocabulary(settings.naming), model, settings.naming, progress=progress)
        names, namer = _name_latents(dictionary, sets, words, settings.naming)
    decoder = dictionary.W_dec.detach().cpu().numpy()
    matter = Matter(sets, statistics, names, decoder, words, model, device, namer, settings.naming.source)
    halves = split(sets, settings.verify)
    with log.timed("concept branch"):
        concepts = matter.concept_branch(settings.concepts)
        proposals = propose(matter, halves, concepts, settings.concepts)
    with log.timed("density branch"):
        density, differences = matter.density_branch(halves.finding, settings, progress)
    with log.timed("verification"):
        proposed, density = check(matter, halves, proposals, density, differences, settings.verify.level)
        concepts = replace(concepts, findings=with_verification(concepts.findings, proposed))
    phrases = density.hypotheses if density else ()
    ranked = _ranked(concepts.findings, proposed)
    findings = combine(ranked, phrases, _first_words([*ranked, *phrases], words, model), settings.combine)
    tests = _tests(concepts, density, [*ranked, *phrases])
    p_value = min(1.0, len(tests) * min(tests))
    different = p_value <= settings.concepts.level
    concepts = _with_what_would_show(concepts, sets, settings.concepts.level / len(tests))
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


def _open_sets(
    a: str | Path | EmbeddingSet,
    b: str | Path | EmbeddingSet,
    encoder: Encoder,
    out: Path | None,
    settings: EmbedSettings,
    progress: Progress | None,
) -> Sets:
    sets: Sets = {}
    for side, spec in zip(SIDES, (a, b), strict=True):

        def tell(stage: str, done: int, total: int | None, name: str = side.upper()) -> None:
            if progress:
                progress(f"{stage} {name}", done, total)

        # the folder belongs to this report: what another run left there for other images is replaced
        folder = out / "embeddings" / side if out else None
        if out and isinstance(spec, (str, Path)) and (out / "embeddings").resolve() in Path(spec).resolve().parents:
            raise LatentDiffError(f"{spec} lies in the report that would be written ({out}); choose another --out")
        sets[side] = open_or_embed(spec, encoder, folder, replace(settings, overwrite=True), tell)
        _check_set(f"set {side.upper()} ({sets[side].source})", sets[side], encoder)
    check_same_space(sets["a"], sets["b"])
    return sets


def _check_set(label: str, embeddings: EmbeddingSet, encoder: Encoder) -> None:
    """A set must be of the encoder that names its latents, and large enough to be called one."""
    hint = "name the encoder that made it with encoder=..."
    if embeddings.fingerprint not in (None, encoder.fingerprint):
        raise LatentDiffError(
            f"{label} was embedded with {embeddings.fingerprint}, the encoder is {encoder.fingerprint}; {hint}"
        )
    if embeddings.d != encoder.dimension:
        raise LatentDiffError(f"{label} has width {embeddings.d}, {encoder.name} makes {encoder.dimension}; {hint}")
    if embeddings.n < 2:
        raise LatentDiffError(f"{label} has only one image; a comparison needs at least two on each side")


def _name_latents(
    sae: SparseAutoencoder, sets: Sets, words: WordVectors, settings: NamingSettings
) -> tuple[list[LatentName], Namer]:
    """What every latent is called by itself, and what names findings by the same measure.

    What words must fit better than, random directions, is of how images differ inside the sets: the difference between
    them is what there may be a word for.
    """
    samples = [_spread(one, NAMING_SAMPLE // 2) for one in sets.values()]
    sample = np.concatenate([rows - rows.mean(0) for rows in samples])
    return name_latents(sae.W_dec.detach().cpu().numpy(), words, sample, settings)


def _spread(embeddings: EmbeddingSet, count: int) -> np.ndarray:
    """Up to `count` rows, chosen by content so that the order of the set does not matter."""
    return embeddings.rows(np.argsort(embeddings.hashes, kind="stable")[:count])


def _ranked(found: Sequence[Finding], proposed: Sequence[Finding]) -> list[Finding]:
    """The concept branch's findings on all images as it ranks them, then what the finding half alone proposed."""
    known = {(f.side, f.latent) for f in found}
    return [*found, *sorted((f for f in proposed if (f.side, f.latent) not in known), key=confidence)]


def _first_words(findings: Sequence[Finding], words: WordVectors, encoder: Encoder) -> dict[str, np.ndarray]:
    """The vector of each finding's first word, by which near-synonyms merge."""
    first = sorted({f.words[0] for f in findings if f.words})
    return dict(zip(first, text_vectors([(word,) for word in first], words, encoder), strict=True))


def _tests(concepts: ConceptResult, density: DensityResult | None, findings: Sequence[Finding]) -> list[float]:
    """The p values that could say the sets differ; the smallest times their number is p of "no difference at all"."""
    tests = [min((q for _, q in concepts.volcano), default=1.0)]
    if density is not None and not density.needed:
        tests.append(density.p_value)
    verified = [f.verification.evidence.q_value for f in findings if f.verification]
    if verified:
        tests.append(min(verified))
    return tests


def _with_what_would_show(concepts: ConceptResult, sets: Sets, level: float) -> ConceptResult:
    """The concept branch's answer, with the smallest difference that would have passed the level of the verdict."""
    smallest = smallest_detectable(sets["a"].n, sets["b"].n, 2 * concepts.tested, level)  # presence, strength
    return replace(concepts, smallest_detectable=smallest)


def _verdict(different: bool, concepts: ConceptResult, findings: Sequence[Finding]) -> str:
    if not different and concepts.smallest_detectable >= 1:
        return f"{TOO_FEW}: even what is in every image of one set and in none of the other would not show."
    if not different:
        return (
            f"{NOTHING}: a latent that fires in at least "
            f"{concepts.smallest_detectable:.1%} of one set and never in the other would have been seen."
        )
    if not any(f.verification for f in findings):
        return f"The sets differ: {concepts.significant} of {concepts.tested:,} latents (nothing was verified)."
    confirmed = [f for f in findings if f.standing == "confirmed"]
    first = {f.side: f.words[0] for f in reversed(confirmed)}
    if not first:
        return "The sets differ, but no word for it held on the images kept aside to check."
    return f"The sets differ: {' and '.join(f'more {word} in {side.upper()}' for side, word in sorted(first.items()))}."


def _references(result: ComparisonResult) -> list[ImageRef]:
    """Every image that the report may show."""
    findings = [*result.findings, *result.concepts.findings, *(result.density.hypotheses if result.density else ())]
    refs = [ref for f in findings for ref in (*f.images, *f.near_misses)]
    return refs + list(result.density.extreme if result.density else ())
