"""Reports and evaluations in a few lines, for a terminal."""

from typing import TYPE_CHECKING

from osler.core.report import Report
from osler.results.sentences import in_its_language, joined, say

if TYPE_CHECKING:
    from osler.lab.evaluate.evaluate import Evaluation


@in_its_language
def report_lines(report: Report) -> list[str]:
    """What was found and what follows, or why the study was declined; a line each, in the report's language."""
    if report.declined:
        lines = [say("line.declined", study=report.study)]
        for problem in report.declined:
            kind, _, model = problem.check.partition(" ")
            if kind == "model":  # why one of several models may not: what to do was said above them all
                lines.append("    " + say("join.title", title=model) + problem.what)
            else:
                lines += [f"  {problem.what}", f"  → {problem.remedy}"]
        return lines
    lines = [say("line.read", study=report.study, pathway=report.pathway)]
    if report.priority is not None:
        urgency = say(f"page.priority.{report.priority.urgency}")
        lines.append("  " + say("line.priority", urgency=urgency, because=report.priority.because))
    lines += [f"  {finding.statement}" for finding in report.findings] or ["  " + say("line.nothing")]
    lines += [f"  {joined(one.statement, one.advice)}" for one in report.conclusions]
    lines += ["  " + say("line.mind", what=caution.what) for caution in report.cautions]
    lines += [
        "  " + say("line.by", model=f"{model.name} {model.version}".strip(), digest=model.digest[:12])
        for model in report.models
    ]
    return [*lines, "  " + say("page.notice")]


def metric_lines(evaluation: "Evaluation") -> list[str]:
    """How good a model was: who was tested, then a metric a line with its interval, then what to mind."""
    from osler.lab.evaluate.report import written

    who = f"{evaluation.patients} patients, {evaluation.cases} cases"
    lines = [f"{evaluation.task}, {evaluation.split}: {who}"]
    for name, one in evaluation.metrics.items():
        value, interval = written(name, one)
        lines.append(f"  {name:<22}{value}" + (f" ({interval})" if interval else ""))
    return [*lines, *(f"  Mind: {said}" for said in evaluation.notes)]
