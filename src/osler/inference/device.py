"""Which machine computes."""

import torch

from osler.core.errors import AskedWrongly


def choose_device(name: str = "auto") -> str:
    """ "cpu", "cuda:0", ... from what was asked for and what is there.

    Raises AskedWrongly when CUDA was asked for and there is none.
    """
    if name == "auto":
        return "cuda:0" if torch.cuda.is_available() else "cpu"
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise AskedWrongly("There is no CUDA device here.", remedy="Leave --device away, or use --device cpu.")
    try:
        return str(torch.device(name))
    except RuntimeError as error:
        raise AskedWrongly(f"There is no device named '{name}'.", remedy="Use cpu, cuda or cuda:N.") from error
