"""Reports in a few lines, for a terminal."""

from osler.core.report import NOT_A_DEVICE, Report


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
