"""A report: the verdicts of a record as a list in HTML."""

from html import escape

from pytest_fairness import Report, describe

HTML_LIST = Report("html_list", "fairness_example.report:render", ending=".html")


def render(record):
    items = "".join(f"<li>{escape(describe(verdict))}</li>\n" for verdict in record.verdicts)
    return f"<ul>\n{items}</ul>\n"
