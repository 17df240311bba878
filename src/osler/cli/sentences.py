"""Reports and evaluations in a few lines, for a terminal."""

from typing import TYPE_CHECKING

from osler.core.report import NOT_A_DEVICE, Report

if TYPE_CHECKING:
    from osler.lab.evaluate.evaluate import Evaluation


def report_lines(report: Report) -> list[str]:
    """What was found, or why the study was declined; a line each."""
    if report.declined:
        lines = [f"{report.study}: declined."]
        lines += [f"  {problem.what}\n  → {problem.remedy}" for problem in report.declined]
        return lines
    lines = [f"{report.study}: read for {report.pathway}."]
    lines += [f"  {finding.statement}" for finding in report.findings] or ["  Nothing was found."]
    lines += [f"  Mind: {caution.what}" for caution in report.cautions]
    lines += [f"  By {model.name} {model.version} ({model.digest[:12]})." for model in report.models]
    return [*lines, f"  {NOT_A_DEVICE}"]


def metric_lines(evaluation: "Evaluation") -> list[str]:
    """How good a model was: who was tested, then a metric a line with its interval, then what to mind."""
    from osler.lab.evaluate.report import written

    who = f"{evaluation.patients} patients, {evaluation.cases} cases"
    lines = [f"{evaluation.task}, {evaluation.split}: {who}"]
    for name, one in evaluation.metrics.items():
        value, interval = written(name, one)
        lines.append(f"  {name:<22}{value}" + (f" ({interval})" if interval else ""))
    return [*lines, *(f"  Mind: {said}" for said in evaluation.notes)]
