"""The settings of captions and of what is made of them."""

from __future__ import annotations

from dataclasses import dataclass, field

from latentdiff.errors import LatentDiffError
from latentdiff.language.captioners import CAPTIONERS
from latentdiff.language.summarisers import SUMMARISERS
from latentdiff.registry import choose


@dataclass(frozen=True)
class LlmSettings:
    """An OpenAI-compatible endpoint; its key comes from the environment (OPENAI_API_KEY) and is never written.

    Attributes:
        base_url: address of the endpoint, as in "http://localhost:11434/v1"; None sends nothing to anybody.
        model: name of the model at the endpoint.
        timeout: seconds to wait for an answer.
    """

    base_url: str | None = None
    model: str | None = None
    timeout: float = 60.0

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            LatentDiffError: an address that is none, or a timeout that is not positive.
        """
        if self.base_url is not None and not self.base_url.startswith(("http://", "https://")):
            raise LatentDiffError(
                f"language.llm.base_url must start with http:// or https://, as in http://localhost:11434/v1; "
                f"it is '{self.base_url}'"
            )
        if self.timeout <= 0:
            raise LatentDiffError(f"language.llm.timeout must be above 0 seconds; it is {self.timeout}")


@dataclass(frozen=True)
class LanguageSettings:
    """How retrieved images are captioned and their captions summed up.

    Attributes:
        captioner: of `CAPTIONERS`: "tags" (nearest words of the vocabulary, offline) or "blip2".
        tags: words per image of the captioner "tags".
        blip2: model of the captioner "blip2": a name at Hugging Face, or a folder.
        summariser: of `SUMMARISERS`: "phrases" (contrastive phrases, offline) or "llm".
        phrases: most phrases per side.
        llm: endpoint of the summariser "llm".
    """

    captioner: str = "tags"
    tags: int = 5
    blip2: str = "Salesforce/blip2-opt-2.7b"
    summariser: str = "phrases"
    phrases: int = 5
    llm: LlmSettings = field(default_factory=LlmSettings)

    def __post_init__(self) -> None:
        """Check the values.

        Raises:
            LatentDiffError: an unknown name, a number out of its range, or a language model without an address.
        """
        choose("language.captioner", self.captioner, CAPTIONERS)
        summariser = choose("language.summariser", self.summariser, SUMMARISERS)
        for key in ("tags", "phrases"):
            if getattr(self, key) < 1:
                raise LatentDiffError(f"language.{key} must be at least 1; it is {getattr(self, key)}")
        if summariser.asks_endpoint and not (self.llm.base_url and self.llm.model):
            missing = "base_url" if not self.llm.base_url else "model"
            raise LatentDiffError(
                f"language.summariser={self.summariser} needs language.llm.base_url and language.llm.model "
                f"({missing} is not set); language.summariser=phrases works offline"
            )
