"""Reading a YAML file and `key=value` overrides against the schema, and reporting every fault at once.

The schema is put together from the settings dataclasses that live beside the code they steer; nothing else in the
package knows the whole of it.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from latentdiff.errors import LatentDiffError
from latentdiff.pipeline import CompareSettings
from latentdiff.proposers.sae_latents import PAPER as CONCEPTS_PAPER
from latentdiff.registry import choose
from latentdiff.sae_source import SaeSettings

if TYPE_CHECKING:
    from omegaconf import DictConfig

T = TypeVar("T")


@dataclass(frozen=True)
class SweepSettings:
    """What `train_sae.py --sweep` does at each point of its grid, and where it writes."""

    seeds: int = 2  # SAEs of each point, at least (or sae.seeds); their agreement takes two
    noisydiff: str | None = None  # a configuration of Noisy-Diff whose pairs each point's first SAE is scored on
    out: str = "runs/sweep"  # folder for the table, the page, finished points and embeddings

    def __post_init__(self) -> None:
        if self.seeds < 1:
            raise LatentDiffError(f"sweep.seeds is {self.seeds}; use 1 or more")


@dataclass(frozen=True)
class Config(CompareSettings):
    """One YAML file serves both commands: `train_sae.py` reads `data`, `compare.py` reads `a` and `b`."""

    data: tuple[str, ...] = ()  # images to train the SAE on; several sources are one training set
    label: str = "label"  # column of `data` with each image's class; where there is one, zero-shot accuracy is measured
    a: str | None = None
    b: str | None = None
    out: str = "latentdiff-report"  # folder that compare.py writes
    encoder: str = "mini"
    device: str = "auto"  # "cpu", "cuda", "mps", or "auto": a GPU where there is one
    method: str = "default"  # a preset, see METHODS; single keys still override it
    sae: SaeSettings = field(default_factory=SaeSettings)
    sweep: SweepSettings = field(default_factory=SweepSettings)


TEXTS = (  # 2024_01 is a folder, no number
    *("a", "b", "data", "label", "out", "encoder"),
    *("sae.path", "sae.data", "naming.file", "sweep.noisydiff", "sweep.out"),
)

METHODS: dict[str, dict[str, Any]] = {
    "default": {},
    # every choice of the paper (arXiv 2605.00899) that differs from our defaults
    "paper": {
        **{f"concepts.{key}": value for key, value in CONCEPTS_PAPER.items()},
        "naming.things": 0,
        "naming.centre": False,
        "naming.source": "decoder",
        "language.captioner": "blip2",
        "language.summariser": "llm",
        "verify.enabled": False,
        "combine.order": "mix",
    },
    # each a peer's whole method: its own proposer, nothing held back
    "visdiff": {
        "proposers": ["visdiff"],
        "language.captioner": "blip2",
        "language.summariser": "llm",
        "verify.enabled": False,
    },
    "gsclip": {"proposers": ["mean_shift"], "naming.things": 0, "mean_shift.centre": False, "verify.enabled": False},
    # as GSCLIP, with centred words, each tested on images held back
    "mean-shift": {"proposers": ["mean_shift"], "naming.things": 0},
}

MOVED = {  # keys that there were, and what says the same today
    "density.enabled": "proposers (proposers=[sae_latents] leaves the density ratio out)",
    "concepts.level": "level (of the verdict; all tests share it)",
    "verify.level": "level (of the verdict; all tests share it)",
}
GONE = {  # keys that there were, and why nothing takes their place
    **dict.fromkeys(
        ("concepts.correction", "concepts.exact_below", "concepts.strength_from"),
        "latents are tested by permuting the sides (concepts.permutations)",
    ),
}


def read_config(
    file: str | None = None, overrides: Sequence[str] = (), plain: Mapping[str, str] | None = None
) -> Config:
    """The resolved configuration.

    Args:
        file: a YAML file; looked for as a path, then in `configs/`.
        overrides: `key=value` strings, later ones win.
        plain: further keys with values that are taken as they stand ("007" stays text); they win over both.

    Raises:
        LatentDiffError: the file is missing or not YAML, or keys or values do not fit; names all faults.
    """
    given = {**read_keys(file, overrides), **(plain or {})}
    preset = choose("method", str(given.get("method", "default")), METHODS)
    return fill(Config, {**preset, **given}, file or "")


def read_keys(file: str | None, overrides: Sequence[str] = (), texts: Sequence[str] = TEXTS) -> dict[str, Any]:
    """What a YAML file and `key=value` overrides say, nested keys joined by dots; overrides win.

    Args:
        file: a YAML file; looked for as a path, then in `configs/`.
        overrides: `key=value` strings, later ones win.
        texts: keys whose value in an override is taken as it stands.

    Raises:
        LatentDiffError: the file is missing or not YAML, or an override has no key or value.
    """
    return {**(_flatten(_load(file)) if file else {}), **_parse(overrides, texts)}


def fill(cls: type[T], given: Mapping[str, Any], where: str = "") -> T:
    """Settings of a class from keys (nested ones joined by dots) and values.

    Args:
        cls: a dataclass of settings, with defaults.
        given: what differs from them.
        where: where that was read, for the message.

    Raises:
        LatentDiffError: keys or values do not fit; names all faults.
    """
    from omegaconf import OmegaConf

    schema = _writable_schema(cls)
    faults = [fault for key, value in given.items() for fault in _set(schema, key, value)]
    settings, broken = _build(cls, OmegaConf.to_container(schema))
    faults += broken
    if faults:
        raise LatentDiffError(*faults, where=where)
    return settings


def to_yaml(config: Config) -> str:
    """The resolved configuration as YAML, as it is written beside every result."""
    from omegaconf import OmegaConf

    return OmegaConf.to_yaml(OmegaConf.create(dataclasses.asdict(config)))


def find_config(name: str) -> Path:
    """A configuration file by path, or by name in `configs/` here or among those that come with the package."""
    folders = [Path("configs"), _own_configs()]
    for place in [Path(name), *(folder / name for folder in folders)]:
        if place.is_file():
            return place
    known = sorted({file.name for folder in folders for file in folder.glob("*.yaml")})
    raise LatentDiffError(f"no configuration '{name}' here or in configs/ (there: {', '.join(known) or 'none'})")


def _own_configs() -> Path:
    """Inside the package where it is installed, beside it in the repository."""
    package = Path(__file__).parent
    inside = package / "configs"
    return inside if inside.is_dir() else package.parent / "configs"


def _load(name: str) -> DictConfig:
    from omegaconf import DictConfig, OmegaConf
    from yaml import YAMLError

    path = find_config(name)
    try:
        loaded = OmegaConf.load(path)
    except (YAMLError, UnicodeDecodeError, OSError) as error:
        raise LatentDiffError(f"{path} is not readable as YAML: {' '.join(str(error).split())}") from None
    if not isinstance(loaded, DictConfig):
        raise LatentDiffError(f"{path} must hold keys and values, as in 'encoder: mini'")
    return loaded


def _flatten(node: Mapping[Any, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in node.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            flat.update(_flatten(value, f"{name}."))
        else:
            flat[name] = value
    return flat


def _parse(overrides: Sequence[str], texts: Sequence[str]) -> dict[str, Any]:
    import yaml

    parsed: dict[str, Any] = {}
    for text in overrides:
        key, equals, value = text.partition("=")
        if not equals or not key:
            hint = "; a set of images goes behind --a, --b or --data" if Path(text).exists() else ""
            raise LatentDiffError(f"'{text}' is no setting; write key=value, as in sae.k=16{hint}")
        try:
            parsed[key] = value if key in texts and value else yaml.safe_load(value) if value else None
        except yaml.YAMLError:
            parsed[key] = value
    return parsed


def _writable_schema(cls: type) -> DictConfig:
    """The schema with its defaults; OmegaConf makes frozen dataclasses read-only, node by node."""
    from omegaconf import DictConfig, OmegaConf

    def unlock(node: Any) -> None:
        OmegaConf.set_readonly(node, False)
        for key in node:
            if isinstance(child := node._get_node(key), DictConfig) and child._is_none() is False:
                unlock(child)

    schema = OmegaConf.structured(cls)
    unlock(schema)
    return schema


def _set(schema: DictConfig, key: str, value: Any) -> Iterator[str]:
    """Sets one key; yields what is wrong with it."""
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    keys = list(_flatten(OmegaConf.to_container(schema)))  # type: ignore[arg-type]
    if inside := [name for name in keys if name.startswith(f"{key}.")]:
        if value is not None:  # an empty group in a file says nothing
            yield f"'{key}' is a group of keys; name one of {', '.join(inside)}"
        return
    if key in MOVED:
        yield f"'{key}' is now {MOVED[key]}"
        return
    if key in GONE:
        yield f"'{key}' is gone: {GONE[key]}"
        return
    if key not in keys:
        near = difflib.get_close_matches(key, keys, n=1, cutoff=0.5)
        yield f"unknown key '{key}'" + (f", did you mean '{near[0]}'?" if near else "")
        return
    here = OmegaConf.select(schema, key)
    if isinstance(value, str) and isinstance(here, Sequence) and not isinstance(here, str):
        value = [value]  # one thing is a list of one
    try:
        OmegaConf.update(schema, key, value)
    except OmegaConfBaseException as error:
        yield f"{key}={value!r} does not fit: {str(error).splitlines()[0]}"


def _build(cls: type, values: Any, section: str = "") -> tuple[Any, list[str]]:
    """A dataclass from nested plain values, with the faults of all its sections together.

    A fault that does not name its section, as those of `sae_training` cannot, gets it in front.
    """
    from sae_training import SaeError

    faults: list[str] = []
    arguments = dict(values)
    defaults = cls()
    for item in dataclasses.fields(cls):
        default = getattr(defaults, item.name)
        if dataclasses.is_dataclass(default):
            arguments[item.name], below = _build(type(default), values[item.name], f"{section}.{item.name}".lstrip("."))
            faults += below
        elif isinstance(default, tuple) and arguments[item.name] is not None:
            arguments[item.name] = tuple(arguments[item.name])
    if faults:
        return defaults, faults
    try:
        return cls(**arguments), []
    except (LatentDiffError, SaeError) as error:
        return defaults, [fault if section in fault else f"{section}: {fault}" for fault in error.faults]
