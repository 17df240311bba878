"""`osler doctor`: what this machine has and lacks. It looks; it changes nothing and calls nobody."""

import argparse
import os
import platform
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, distributions, version
from pathlib import Path

from osler import __version__
from osler.cli import output
from osler.cli.arguments import Parser, new_parser

SUMMARY = """What this machine has and lacks: Python, torch, cores, memory, disk, processor features, graphics
cards, decoders for each DICOM transfer syntax, the models on the shelf. Exit code 1 when something is broken."""

EXAMPLE = """
osler doctor
osler doctor --json
"""

# What Osler cannot do without, and what each is for.
NEEDED = {
    "numpy": "arrays",
    "scipy": "geometry",
    "scikit-learn": "metrics",
    "pandas": "tables",
    "pyarrow": "Parquet tables",
    "torch": "nets",
    "lightning-fabric": "devices",
    "safetensors": "weights",
    "onnxruntime": "ONNX nets",
    "nibabel": "NIfTI",
    "imagecodecs": "compressed DICOM",
    "openslide": "whole slides",
    "pydicom": "DICOM",
    "Pillow": "PNG, JPEG, TIFF",
    "rich": "progress bars",
    "Jinja2": "pages",
    "matplotlib": "plots",
    "psutil": "memory at hand",
}
EXPORTERS = ("onnx", "onnxscript")

# DICOM PS3.5 chapter 10 and PS3.6 table A-1: compressions of still images that archives send.
SYNTAXES = {
    "JPEG Baseline": "1.2.840.10008.1.2.4.50",
    "JPEG Extended": "1.2.840.10008.1.2.4.51",
    "JPEG Lossless": "1.2.840.10008.1.2.4.57",
    "JPEG Lossless SV1": "1.2.840.10008.1.2.4.70",
    "JPEG-LS Lossless": "1.2.840.10008.1.2.4.80",
    "JPEG-LS Near-lossless": "1.2.840.10008.1.2.4.81",
    "JPEG 2000 Lossless": "1.2.840.10008.1.2.4.90",
    "JPEG 2000": "1.2.840.10008.1.2.4.91",
    "HTJ2K Lossless": "1.2.840.10008.1.2.4.201",
    "HTJ2K Lossless RPCL": "1.2.840.10008.1.2.4.202",
    "HTJ2K": "1.2.840.10008.1.2.4.203",
    "RLE Lossless": "1.2.840.10008.1.2.5",
}

LITTLE_GB = 2.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    state  "good", "mind" (works, but know it), "broken"
    """

    name: str
    state: str
    text: str


def parser() -> Parser:
    """The words of `osler doctor`."""
    return new_parser("doctor", SUMMARY, EXAMPLE)


def run(arguments: argparse.Namespace) -> int:
    """Look at everything."""
    found = [finding for look in LOOKS for finding in look()]
    broken = [finding for finding in found if finding.state == "broken"]
    if arguments.json:
        output.say_json({"good": not broken, "findings": [asdict(finding) for finding in found]})
    else:
        marks = {"good": "   ", "mind": " ! ", "broken": " ✗ "}
        output.say("\n".join(f"{marks[f.state]}{f.name:<24}{f.text}" for f in found))
        output.say("\nNothing is broken." if not broken else f"\n{len(broken)} broken; see ✗.")
    return output.FAILED if broken else output.GOOD


def _software() -> list[Finding]:
    rows = [
        Finding("osler", "good", __version__),
        Finding("python", "good", f"{platform.python_version()} on {platform.system()} {platform.machine()}"),
    ]
    for package, use in NEEDED.items():
        try:
            rows.append(Finding(package, "good", version(package)))
        except PackageNotFoundError:
            rows.append(Finding(package, "broken", f"missing, needed for {use}: pip install {package}"))
    missing = [package for package in EXPORTERS if not _installed(package)]
    text = f"{' and '.join(missing)} missing: pip install {' '.join(missing)}" if missing else "can be written"
    rows.append(Finding("ONNX export", "mind" if missing else "good", text))
    return rows


def _machine() -> list[Finding]:
    import psutil

    memory = psutil.virtual_memory()
    free_gb = shutil.disk_usage(Path.cwd()).free / 1e9
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return [
        Finding("cores", "good", f"{cores} for this process of {os.cpu_count()}"),
        Finding(
            "memory",
            "good" if memory.available / 1e9 > LITTLE_GB else "mind",
            f"{memory.available / 1e9:.1f} GB free of {memory.total / 1e9:.1f}",
        ),
        Finding("disk here", "good" if free_gb > LITTLE_GB else "mind", f"{free_gb:.1f} GB free"),
    ]


def _torch() -> list[Finding]:
    try:
        import torch
    except (ImportError, OSError) as error:  # a torch built for another machine fails while its libraries load
        return [Finding("torch runs", "broken", f"{type(error).__name__}: install torch for this machine")]
    rows = [Finding("torch threads", "good", str(torch.get_num_threads()))]
    flags = _processor_flags()
    wanted = {"avx2": "AVX2", "avx512f": "AVX-512", "avx512_bf16": "bf16", "amx_bf16": "AMX bf16"}
    has = [name for flag, name in wanted.items() if flag in flags]
    lacks = [name for flag, name in wanted.items() if flag not in flags]
    text = (
        f"has {', '.join(has) or 'none'}; lacks {', '.join(lacks) or 'none'}"
        if flags
        else "not told by this system"
    )
    rows.append(Finding("processor", "good", text))
    if torch.cuda.is_available():
        rows += [
            Finding(f"cuda:{n}", "good", f"{p.name}, {p.total_memory / 1e9:.0f} GB")
            for n in range(torch.cuda.device_count())
            for p in [torch.cuda.get_device_properties(n)]
        ]
        return rows
    rows.append(Finding("graphics card", "good", "none that torch can use; the processor computes"))
    useless = sorted(name for d in distributions() if _is_cuda_part(name := str(d.metadata["Name"])))
    if useless:
        text = f"{len(useless)} for a card that is not here ({useless[0]}, ...): install a CPU torch"
        rows.append(Finding("CUDA packages", "mind", text))
    else:
        rows.append(Finding("CUDA packages", "good", "none, as it should be without a card"))
    return rows


def _decoders() -> list[Finding]:
    try:
        from pydicom.pixels import get_decoder
    except ImportError:
        return []  # told among the software
    rows = []
    for name, uid in SYNTAXES.items():
        decoder = get_decoder(uid)
        if decoder.is_available:
            rows.append(Finding(name, "good", f"decoded by {', '.join(decoder.available_plugins)}"))
        else:
            missing = "; ".join(decoder.missing_dependencies)
            rows.append(Finding(name, "mind", f"no decoder here: {missing}"))
    return rows


def _shelf() -> list[Finding]:
    from osler.cli.models import shelf_state

    rows = shelf_state()
    found = [
        Finding(f"model {row['name']}", "broken" if row["problem"] else "good", row["problem"] or row["title"])
        for row in rows
    ]
    return found or [Finding("models", "mind", "the shelf is empty: osler models add")]


def _habits() -> list[Finding]:
    browser = next((name for name in ("chromium", "google-chrome", "chromium-browser") if shutil.which(name)), "")
    text = f"{browser}, for pictures of pages" if browser else "none found; pages open in any browser elsewhere"
    return [Finding("browser", "good", text), Finding("telemetry", "good", "none; Osler calls nobody")]


LOOKS: tuple[Callable[[], list[Finding]], ...] = (_software, _machine, _torch, _decoders, _shelf, _habits)


def _installed(package: str) -> bool:
    try:
        version(package)
    except PackageNotFoundError:
        return False
    return True


def _is_cuda_part(name: str) -> bool:
    """Parts of CUDA as PyPI names them, and triton, which only they need."""
    return name.lower().startswith(("nvidia-", "cuda-")) or name.lower() == "triton"


def _processor_flags() -> set[str]:
    """Features of the processor as Linux lists them; empty where there is no such list."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return set()
    return next((set(line.partition(":")[2].split()) for line in lines if line.startswith("flags")), set())
