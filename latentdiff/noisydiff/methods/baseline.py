"""What a baseline is: a function of two sets that predicts, what it is given beside them, and what is known of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from latentdiff.embeddings import EmbeddingSet
from latentdiff.naming import LatentName, WordVectors
from latentdiff.noisydiff.methods.predictions import Prediction
from latentdiff.pipeline import CompareSettings

if TYPE_CHECKING:
    from latentdiff.encoders import Encoder
    from sae_training import SparseAutoencoder

WORDS = 25  # a side, of baselines that rank words: as many as the product's first five findings have


@dataclass(frozen=True, eq=False)
class BaselineContext:
    """What a baseline may use beside the images.

    Attributes:
        encoder: of the sets; its text side.
        words: the vocabulary, centred, as names of latents have it.
        settings: the benchmark's: captioner, summariser, the sections of proposers.
        seed: of whatever is drawn.
        parent: what all images of the pair have in common; "" where nothing is.
        sae: the pool's, for a baseline that needs latents.
        names: of its latents.
        device: where a captioning model runs.
        plain_words: the vocabulary without WordNet's things, of a peer's method; None: the same as `words`.
    """

    encoder: Encoder
    words: WordVectors
    settings: CompareSettings = field(default_factory=CompareSettings)
    seed: int = 0
    parent: str = ""
    sae: SparseAutoencoder | None = None
    names: Sequence[LatentName] = ()
    device: str = "auto"
    plain_words: WordVectors | None = None


@dataclass(frozen=True)
class Baseline:
    """A baseline, and what else the benchmark must know of it.

    Attributes:
        predict: what it says of two sets.
        proposer: whom of the product it asks; "" where nobody.
        needs_latents: whether it is given the pool's SAE and the names of its latents.
        things: whether WordNet's things are among its words, where the benchmark's settings have them.
        chance: whether it knows nothing of the difference.
    """

    predict: Callable[[EmbeddingSet, EmbeddingSet, BaselineContext], Prediction]
    proposer: str = ""
    needs_latents: bool = False
    things: bool = True
    chance: bool = False
