"""What a benchmark writes: scores, tables, figures, and the page that lets one look at any pair."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from latentdiff.embeddings import EmbeddingSet
from latentdiff.images import read_images
from latentdiff.noisydiff.methods.predictions import Prediction
from latentdiff.noisydiff.pages.figures import standard_figures
from latentdiff.noisydiff.pages.page import Content, write_page
from latentdiff.noisydiff.pages.summary import standard_tables
from latentdiff.noisydiff.pairs.builder import Annotated
from latentdiff.noisydiff.pairs.pair import Pair
from latentdiff.noisydiff.scoring.catalogue import MAIN, NEAR
from latentdiff.noisydiff.scoring.judged import judge_claims
from latentdiff.noisydiff.scoring.measures import by_wordnet, score
from latentdiff.noisydiff.scoring.similarity import SentenceSpace
from latentdiff.presentation.figures import write_figures
from latentdiff.presentation.tables import write_rows, write_tables


def write_results(
    title: str,
    pairs: Sequence[Pair],
    predictions: Sequence[Prediction],
    images: EmbeddingSet,
    space: SentenceSpace | None,
    run: Mapping[str, Any],
    folder: Path,
    annotated: Annotated | None = None,
) -> Path:
    """Writes scores (`*.parquet`), tables, figures and `page.html` into a folder, each whole or not at all.

    Args:
        title: what was run.
        pairs: with a truth, or A = A.
        predictions: for them.
        images: that the pairs name.
        space: for the similarity of sentences; None leaves it out.
        run: settings and versions, for the page.
        folder: where to.
        annotated: what is known to be in the images, planted or not; None: nothing.

    Returns:
        The page.
    """
    known = {pair.id for pair in pairs}
    predictions = [prediction for prediction in predictions if prediction.pair in known]
    scores = score(pairs, predictions, by_wordnet, space)
    judged = judge_claims(pairs, predictions, annotated, by_wordnet)
    tables = standard_tables(pairs, predictions, scores, by_wordnet, space, judged)
    figures = standard_figures(scores, MAIN, NEAR if space else "")
    write_tables(tables, folder, title)
    write_figures(figures, folder)
    of_rows = {"scores": scores, "judged-claims": judged.claims, "judged-leads": judged.leads}
    for name, rows in (of_rows | {"judged-shifts": judged.shifts}).items():
        if rows:
            write_rows(rows, folder / f"{name}.parquet")
    lede = f"{len(pairs)} pairs of {images.n:,} images of {images.source}, embedded by {images.encoder}."
    content = Content(title, lede, pairs, predictions, scores, tables, figures, run, _shown(predictions, images))
    write_page(content, by_wordnet, folder / "page.html")
    return folder / "page.html"


def _shown(predictions: Sequence[Prediction], images: EmbeddingSet) -> dict[str, bytes]:
    """The image files that predictions show, by id."""
    wanted = {id for said in predictions for ids in said.details.get("images", {}).values() for id in ids}
    table = images.table.select(["id", "uri"]).to_pylist()
    uris = {row["id"]: row["uri"] for row in table if row["id"] in wanted and row["uri"]}
    found = read_images(sorted(uris.values()))
    return {id: found[uri] for id, uri in uris.items() if uri in found}
