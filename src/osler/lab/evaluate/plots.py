"""Plots for the evaluation page, as SVG text that needs nothing else to be shown.

matplotlib's own figures without pyplot: no global state, no window, no fonts to look for.
"""

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from osler.core.arrays import Array
from osler.lab.evaluate.classification import ReliabilityBin

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from osler.lab.evaluate.evaluate import Curve

# Okabe and Ito's colours, told apart by all eyes; the pale yellow is left out.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#555555")
_INK, _SOFT, _FAINT = "#1d2733", "#8a96a3", "#c9d1d9"
_STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "text.color": _INK,
    "axes.edgecolor": _FAINT,
    "axes.labelcolor": _INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "xtick.color": _INK,
    "ytick.color": _INK,
    "grid.color": "#eceff2",
    "legend.frameon": False,
    "legend.fontsize": 8,
    "svg.fonttype": "path",
}


def roc_plot(curves: Sequence["Curve"]) -> str:
    """Sensitivity against 1 - specificity, a line a class, with chance as the diagonal."""
    return _drawn("ROC", lambda axes: _roc(axes, curves))


def pr_plot(curves: Sequence["Curve"], shares: Mapping[str, float]) -> str:
    """Precision against recall in the colours of the ROC; dotted: the share of positive cases, which is chance."""
    return _drawn("Precision and recall", lambda axes: _pr(axes, curves, shares))


def reliability_plot(bins: Sequence[ReliabilityBin]) -> str:
    """How often it was so against what was said, with 95 % intervals; the diagonal is perfect."""
    return _drawn("Reliability", lambda axes: _reliability(axes, bins))


def confusion_plot(counts: Array, classes: Sequence[str]) -> str:
    """True classes down, said classes across, shaded by the share of the true class."""
    side = float(np.clip(1.9 + 0.42 * len(classes), 3.3, 8))
    return _drawn("Confusion", lambda axes: _confusion(axes, np.asarray(counts), classes), size=(side, side))


def spread_plot(values: Mapping[str, Sequence[float]], *, label: str) -> str:
    """One dot a case for each label, from 0 to 1, with the median and the quartiles."""
    width = float(np.clip(1.6 + 0.9 * len(values), 3.4, 10))
    return _drawn(f"{label}, one dot a case", lambda axes: _spread(axes, values, label), size=(width, 3.3))


def scatter_plot(truth: Sequence[float], value: Sequence[float]) -> str:
    """The answer against the truth, one dot a case; the diagonal is perfect."""
    return _drawn("Answer and truth", lambda axes: _scatter(axes, np.asarray(truth), np.asarray(value)))


@dataclass(frozen=True, slots=True)
class Bar:
    """A line of a forest plot: a value and its interval; NaN where there is none.

    heading  a line without a value, above its groups
    """

    name: str
    value: float = float("nan")
    low: float = float("nan")
    high: float = float("nan")
    heading: bool = False


def forest_plot(bars: Sequence[Bar], *, whole: float, label: str) -> str:
    """Groups down, the metric across with 95 % intervals; dotted: all cases."""
    size = (5.6, 0.8 + 0.24 * len(bars))
    return _drawn(f"{label} by group", lambda axes: _forest(axes, bars, whole, label), size=size)


def decision_plot(label: str, thresholds: Array, model: Array, band: tuple[Array, Array], treat_all: Array) -> str:
    """Net benefit over the threshold of action: the model with its band, acting always, acting never."""
    return _drawn(
        f"Net benefit: {_short(label)}",
        lambda axes: _decision(axes, thresholds, model, band, treat_all),
        size=(4.2, 3.3),
    )


def strength_plot(panels: Mapping[str, Sequence[Bar]], *, whole: Bar, label: str) -> str:
    """The metric on pictures made worse, a panel a degradation, from mild to severe; dotted: as they are."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    title, across = f"{label} on worse pictures", 5
    rows = -(-len(panels) // across)
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(10.2, 0.4 + 2.0 * rows), layout="constrained")
        grid = figure.subplots(rows, across, sharey=True, squeeze=False)
        for axes in grid.flat[len(panels) :]:
            axes.set_axis_off()
        for place, (axes, (name, bars)) in enumerate(zip(grid.flat, panels.items(), strict=False)):
            _strengths(axes, [whole, *bars])
            axes.set_title(name)
            if place % across == 0:
                axes.set_ylabel(label)
    return _svg(figure, title)


def _forest(axes: "Axes", bars: Sequence[Bar], whole: float, label: str) -> None:
    axes.axvline(whole, linestyle=":", color=_SOFT, linewidth=1.2)
    for place, bar in enumerate(bars):
        if np.isnan(bar.value):
            continue
        if not np.isnan(bar.low):
            axes.plot([bar.low, bar.high], [place, place], color="#9cc4dd", linewidth=2.4, solid_capstyle="butt")
        axes.plot([bar.value], [place], "s", color=COLOURS[0], markersize=4.5)
    axes.set_yticks(range(len(bars)), [bar.name if bar.heading else f"  {bar.name}" for bar in bars])
    for text, bar in zip(axes.get_yticklabels(), bars, strict=True):
        text.set(weight="bold" if bar.heading else "normal")
    axes.set_ylim(len(bars) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(f"{label}; dotted: all cases")
    axes.grid(axis="x")


def _decision(axes: "Axes", thresholds: Array, model: Array, band: tuple[Array, Array], treat_all: Array) -> None:
    if not np.isnan(band[0]).all():
        axes.fill_between(thresholds, band[0], band[1], color=COLOURS[0], alpha=0.18, linewidth=0)
    axes.plot(thresholds, model, color=COLOURS[0], linewidth=1.8, label="as the model says")
    axes.plot(thresholds, treat_all, color=COLOURS[1], linewidth=1.2, label="always")
    axes.axhline(0, color=_INK, linewidth=1, label="never")
    most = max(float(np.nanmax(model)), float(treat_all[0]), 0.02)
    axes.set(
        xlim=(0, 1), ylim=(-0.25 * most, 1.08 * most), xlabel="threshold of action", ylabel="net benefit a case"
    )
    axes.grid(True)
    axes.legend(loc="best")


def _strengths(axes: "Axes", bars: Sequence[Bar]) -> None:
    values = np.array([bar.value for bar in bars])
    low, high = (np.array([getattr(bar, end) for bar in bars]) for end in ("low", "high"))
    places = np.arange(len(bars))
    axes.axhline(values[0], linestyle=":", color=_SOFT, linewidth=1.2)
    axes.fill_between(places, low, high, color=COLOURS[0], alpha=0.15, linewidth=0)
    axes.plot(places, values, "o-", color=COLOURS[0], markersize=3.5, linewidth=1.4)
    names = [bar.name for bar in bars]
    axes.set_xticks(places, names)
    axes.tick_params(axis="x", labelsize=7.5)
    axes.grid(axis="y")


def _roc(axes: "Axes", curves: Sequence["Curve"]) -> None:
    axes.plot([0, 1], [0, 1], ":", color=_FAINT, linewidth=1.2)
    for curve, colour in _coloured(curves):
        axes.plot(curve.x, curve.y, color=colour, linewidth=1.8, label=curve.name)
    _unit_square(axes, "1 - specificity", "sensitivity")
    if len(curves) <= len(COLOURS):
        axes.legend(loc="lower right")


def _pr(axes: "Axes", curves: Sequence["Curve"], shares: Mapping[str, float]) -> None:
    for curve, colour in _coloured(curves):
        axes.plot(curve.x, curve.y, color=colour, linewidth=1.8, label=curve.name)
        axes.axhline(shares[curve.name], linestyle=":", color=colour, linewidth=1)
    _unit_square(axes, "recall (sensitivity)", "precision")


def _reliability(axes: "Axes", bins: Sequence[ReliabilityBin]) -> None:
    axes.plot([0, 1], [0, 1], ":", color=_FAINT, linewidth=1.2)
    said, so = [one.said for one in bins], [one.so for one in bins]
    reach = [[one.so - one.low for one in bins], [one.high - one.so for one in bins]]
    axes.errorbar(said, so, yerr=reach, fmt="o-", color=COLOURS[0], ecolor="#9cc4dd", markersize=4, linewidth=1.2)
    _unit_square(axes, "probability said", "share that was so")


def _confusion(axes: "Axes", counts: Array, classes: Sequence[str]) -> None:
    total = counts.sum(axis=1, keepdims=True)
    share = np.divide(counts, total, out=np.zeros(counts.shape), where=total > 0)
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    names = [_short(name) for name in classes]
    axes.set_xticks(range(len(names)), names)
    if max(map(len, names)) * len(names) > 28:
        axes.tick_params(axis="x", labelrotation=40)
        for text in axes.get_xticklabels():
            text.set(ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(names)), names)
    axes.set_xlabel("said")
    axes.set_ylabel("true")
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    size = 9 if len(classes) <= 6 else 7
    for row, column in np.ndindex(counts.shape) if len(classes) <= 15 else ():
        colour = "white" if share[row, column] > 0.55 else _INK
        axes.text(column, row, f"{counts[row, column]}", ha="center", va="center", color=colour, fontsize=size)


def _spread(axes: "Axes", values: Mapping[str, Sequence[float]], label: str) -> None:
    for place, (one, colour) in enumerate(zip(values.values(), _cycle(len(values)), strict=True)):
        known = np.asarray(one, float)
        known = known[~np.isnan(known)]
        if not len(known):
            continue
        aside = place + 0.22 * (np.random.default_rng(0).random(len(known)) * 2 - 1)
        axes.plot(aside, known, "o", color=colour, markersize=4, alpha=0.55, markeredgewidth=0)
        low, middle, high = np.percentile(known, [25, 50, 75])
        axes.plot([place - 0.32, place + 0.32], [middle] * 2, color=_INK, linewidth=1.6)
        for edge in (low, high):
            axes.plot([place - 0.2, place + 0.2], [edge] * 2, color=_INK, linewidth=0.8)
    axes.set_xticks(range(len(values)), [_short(name) for name in values])
    axes.set_xlim(-0.6, len(values) - 0.4)
    lowest = min((float(np.nanmin(one)) for one in values.values() if not np.isnan(one).all()), default=0.0)
    axes.set_ylim(0 if lowest < 0.5 else 0.5, 1.02)
    axes.set_ylabel(label)
    axes.grid(axis="y")


def _scatter(axes: "Axes", truth: Array, value: Array) -> None:
    ends = [float(min(truth.min(), value.min())), float(max(truth.max(), value.max()))]
    axes.plot(ends, ends, ":", color=_FAINT, linewidth=1.2)
    axes.plot(truth, value, "o", color=COLOURS[0], markersize=4, alpha=0.5, markeredgewidth=0)
    axes.set_xlabel("truth")
    axes.set_ylabel("answer")
    axes.grid(True)


def _drawn(title: str, draw: Callable[["Axes"], None], *, size: tuple[float, float] = (3.4, 3.3)) -> str:
    return _svg(_figure(title, draw, size), title)


def _figure(title: str, draw: Callable[["Axes"], None], size: tuple[float, float]) -> "Figure":
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.subplots()
        draw(axes)
        axes.set_title(title)
        return figure


def _svg(figure: "Figure", title: str) -> str:
    import matplotlib as mpl

    written = io.StringIO()
    # The salt keeps the ids of two plots on one page apart, and the same plot the same twice.
    with mpl.rc_context(_STYLE | {"svg.hashsalt": title}):
        nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
        figure.savefig(written, format="svg", transparent=True, metadata=nothing)
    text = written.getvalue()
    return f'<svg role="img" aria-label="{escape(title)}"' + text[text.index("<svg") + len("<svg") :]


def _unit_square(axes: "Axes", across: str, up: str) -> None:
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), xlabel=across, ylabel=up, aspect="equal")
    axes.grid(True)


def _coloured(curves: Sequence["Curve"]) -> list[tuple["Curve", str]]:
    return list(zip(curves, _cycle(len(curves)), strict=True))


def _cycle(many: int) -> list[str]:
    return [COLOURS[place % len(COLOURS)] for place in range(many)]


def _short(name: str) -> str:
    return name if len(name) <= 22 else name[:21] + "…"
