"""With which software, and on what machine: nothing that names the machine or who uses it."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version

from osler.core.version import SOFTWARE

_PACKAGES = ("torch", "numpy", "scipy", "scikit-learn", "lightning-fabric", "onnxruntime", "pydicom", "nibabel")


def versions() -> dict[str, str]:
    """Of Osler, Python and the packages that numbers depend on."""
    found = {"osler": SOFTWARE.partition(" ")[2], "Python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def machine() -> str:
    """Its kind: "Linux x86_64, 2 cores"."""
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
