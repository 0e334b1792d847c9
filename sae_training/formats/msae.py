"""Checkpoints of MSAE (Matryoshka SAE of CLIP): one `.pth` file whose name holds the settings.

The file holds the centre and scale of the rows. BatchTopK models have no threshold: the tool's codes depend on the
batch (`sae_training.batch_topk_codes` gives them), so such a model is loaded uncalibrated.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from sae_training.errors import SaeError
from sae_training.formats.checkpoint import Checkpoint, ExternalWeights

FILES = ("*.pth",)
NAME = re.compile(
    r"\d+_\d+_(?P<activation>[A-Za-z0-9]+?)(_(?P<k>\d+))?(_[\d_]+)?(_[UR]W)?"
    r"_(?P<tied>True|False)_(?P<normalise>True|False)_(?P<cap>\d+(\.\d+)?)_"
)
RULES = {
    "ReLU": "threshold",
    "JumpReLU": "threshold",
    "TopKReLU": "topk",
    "TopKabsReLU": "topk_abs",
    "BatchTopKReLU": "threshold",
}


def recognises(checkpoint: Checkpoint) -> bool:
    """Whether the content is this tool's."""
    return {"model", "mean_center", "scaling_factor"} <= set(checkpoint.content)


def read(checkpoint: Checkpoint) -> ExternalWeights:
    """The model that the name describes."""
    state, name = checkpoint.content["model"], NAME.match(checkpoint.file.name)
    if name is None or not isinstance(state, Mapping):
        raise SaeError(
            f"{checkpoint.file}: msae keeps its settings in the file's name "
            "(<latents>_<d>_<activation>_<tied>_<normalize>_<soft cap>_...pth): give it the name it had"
        )
    kind = name["activation"]
    if kind not in RULES:
        raise SaeError(f"{checkpoint.file} has activation '{kind}', which is not read (read are: {', '.join(RULES)})")
    if float(name["cap"]):
        raise SaeError(f"{checkpoint.file} bends its codes by a soft cap of {name['cap']}, which is not read")
    encoder = checkpoint.tensor("encoder", state).T
    jumps = kind == "JumpReLU"
    threshold = checkpoint.tensor("activation.log_threshold", state).float().exp() if jumps else None
    return ExternalWeights(
        kind,
        encoder,
        encoder if name["tied"] == "True" else checkpoint.tensor("decoder", state),
        checkpoint.tensor("latent_bias", state),
        checkpoint.tensor("pre_bias", state),
        RULES[kind],
        int(name["k"]) if name["k"] and "TopK" in kind else None,
        0.0 if kind == "ReLU" else threshold,
        mean=checkpoint.tensor("mean_center").flatten(),
        scale=1.0 / float(checkpoint.content["scaling_factor"]),
        normalise="layer_norm" if name["normalise"] == "True" else "none",
        settings={"name": checkpoint.file.stem},
    )
