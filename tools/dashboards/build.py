"""A definition as Grafana's JSON. The only place that knows the Foundation SDK."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Sequence
from typing import Any

from grafana_foundation_sdk.builders import common as common_builders
from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.builders import prometheus, stat, table, timeseries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common, dashboard
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from .model import Dashboard, Link, Panel, Query, Row, Steps, Variable

SOURCE = dashboard.DataSourceRef(type_val="prometheus", uid="prometheus")  # as the role grafana provisions it
TAG = "platform"  # every dashboard of ours has it: the list of links finds them by it
WIDTH = 24
NARROWEST = 3
HEIGHTS = {"graph": 8, "stat": 4, "table": 9}
REFERENCES = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def as_json(definition: Dashboard) -> str:
    """The file's text: the same bytes each time."""
    built = json.loads(json.dumps(_dashboard(definition).build(), cls=JSONEncoder))
    return json.dumps(built, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _dashboard(definition: Dashboard) -> builders.Dashboard:
    built = (
        builders.Dashboard(definition.title)
        .uid(definition.uid)
        .description(definition.asks)
        .tags(sorted({TAG, *definition.tags}))
        .time(f"now-{definition.span}", "now")
        .refresh("30s")
        .timezone("browser")
        .tooltip(dashboard.DashboardCursorSync.CROSSHAIR)
        .readonly()  # what somebody saves in a browser would go with the next rollout: a change belongs here
        .link(
            builders.DashboardLink("Dashboards")
            .type(dashboard.DashboardLinkType.DASHBOARDS)
            .tags([TAG])
            .as_dropdown(True)
            .keep_time(True)
            .include_vars(True)
        )
    )
    for link in definition.links:
        built = built.link(_link(link))
    for variable in definition.variables:
        built = built.with_variable(_variable(variable))
    numbers = itertools.count(1)
    for row in definition.rows:
        built = built.with_row(builders.Row(row.title).id(next(numbers)))
        for panel, width in zip(row.panels, widths(row), strict=True):
            built = built.with_panel(_panel(panel, next(numbers), width))
    return built


def widths(row: Row) -> list[int]:
    """Columns of each panel. Where some are fixed, the others share what is left; otherwise lines of equal panels."""
    fixed = sum(panel.width for panel in row.panels)
    unfixed = sum(1 for panel in row.panels if not panel.width)
    if fixed:
        share = (WIDTH - fixed) // unfixed if unfixed else 0
        if fixed > WIDTH or (unfixed and share < NARROWEST):
            raise ValueError(f"row {row.title!r}: its panels do not fit into {WIDTH} columns; give smaller widths")
        return [panel.width or share for panel in row.panels]
    most = 8 if all(panel.kind == "stat" for panel in row.panels) else 4 if unfixed == 4 else 3
    lines = -(-unfixed // most)
    counts = [unfixed // lines + (line < unfixed % lines) for line in range(lines)]
    return [WIDTH // count for count in counts for _panel in range(count)]


def _link(link: Link) -> builders.DashboardLink:
    return (
        builders.DashboardLink(link.title)
        .type(dashboard.DashboardLinkType.LINK)
        .url(link.url)
        .target_blank(link.url.startswith("http"))
        .keep_time(not link.url.startswith("http"))
    )


def _variable(variable: Variable) -> builders.QueryVariable | builders.CustomVariable:
    if variable.choices:
        first = dashboard.VariableOption(selected=True, text=variable.choices[0], value=variable.choices[0])
        fixed = builders.CustomVariable(variable.name).label(variable.label).values(",".join(variable.choices))
        return fixed.current(first)
    built = (
        builders.QueryVariable(variable.name)
        .label(variable.label)
        .datasource(SOURCE)
        .query({"qryType": 1, "query": variable.query, "refId": f"Variable-{variable.name}"})
        .refresh(dashboard.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(dashboard.VariableSort.NATURAL_ASC)
    )
    if variable.many:
        every = dashboard.VariableOption(selected=True, text=["All"], value=["$__all"])
        # Not the list of all values: that would be a long query, and leave out what has just appeared.
        built = built.multi(True).include_all(True).all_value(".*").current(every)
    return built


def _panel(panel: Panel, number: int, width: int) -> Any:
    built = BUILDERS[panel.kind](panel)
    built.id(number).title(panel.title).datasource(SOURCE).unit(panel.unit)
    built.span(width).height(panel.height or HEIGHTS[panel.kind])
    if panel.about:
        built.description(panel.about)
    if panel.minimum is not None and panel.kind == "graph":
        built.min(panel.minimum)
    if panel.maximum is not None:
        built.max(panel.maximum)
    if panel.decimals is not None:
        built.decimals(panel.decimals)
    if panel.empty:
        built.no_value(panel.empty)
    built.thresholds(_steps(panel))
    if panel.states:
        texts = {value: dashboard.ValueMappingResult(text=text, color=color) for value, text, color in panel.states}
        built.mappings([dashboard.ValueMap(options=texts)])
    if panel.links and panel.kind != "table":
        built.data_links([_link(link) for link in panel.links])
    for query, reference in zip(panel.queries, REFERENCES[: len(panel.queries)], strict=True):
        built.with_target(_query(query, reference, panel))
    return built


def _steps(panel: Panel) -> builders.ThresholdsConfig:
    below: Steps = () if panel.steps and panel.steps[0][0] is None else ((None, "green"),)
    steps = [dashboard.Threshold(value=value, color=color) for value, color in (*below, *panel.steps)]
    return builders.ThresholdsConfig().mode(dashboard.ThresholdsMode.ABSOLUTE).steps(steps)


def _query(query: Query, reference: str, panel: Panel) -> prometheus.Dataquery:
    built = prometheus.Dataquery().expr(query.expr).ref_id(reference).legend_format(query.legend or "__auto")
    if panel.kind == "graph":
        return built.range()
    return built.instant().format(PromQueryFormat.TABLE if panel.kind == "table" else PromQueryFormat.TIME_SERIES)


def _graph(panel: Panel) -> timeseries.Panel:
    many = any("{{" in query.legend for query in panel.queries) or len(panel.queries) > 1
    legend = common_builders.VizLegendOptions().display_mode(common.LegendDisplayMode.LIST)
    built = (
        timeseries.Panel()
        .fill_opacity(30 if panel.stacked else 8)
        .line_width(1)
        .show_points(common.VisibilityMode.NEVER)
        .legend(legend.placement(common.LegendPlacement.BOTTOM).show_legend(many))
        .tooltip(
            common_builders.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI).sort(common.SortOrder.DESCENDING)
        )
    )
    if panel.stacked:
        built.stacking(common_builders.StackingConfig().mode(common.StackingMode.NORMAL))
    if panel.steps:
        style = common_builders.GraphThresholdsStyleConfig().mode(common.GraphThresholdsStyleMode.DASHED)
        built.thresholds_style(style)
    return built


def _stat(panel: Panel) -> stat.Panel:
    colored = common.BigValueColorMode.BACKGROUND if panel.steps or panel.states else common.BigValueColorMode.NONE
    return (
        stat.Panel()
        .reduce_options(common_builders.ReduceDataOptions().calcs(["lastNotNull"]))
        .graph_mode(common.BigValueGraphMode.NONE)
        .color_mode(colored)
    )


def _table(panel: Panel) -> table.Panel:
    built = table.Panel().cell_height(common.TableCellHeight.SM)
    names = [label for label, _heading in panel.columns]
    organize = {
        "includeByName": dict.fromkeys(names, True),
        "indexByName": {label: place for place, label in enumerate(names)},
        "renameByName": dict(panel.columns),
    }
    built.with_transformation(dashboard.DataTransformerConfig(id_val="organize", options=organize))
    headings = dict(panel.columns)
    for link in panel.links:
        # A table's links belong to one column each: the one whose heading is the link's title.
        if link.title not in headings.values():
            raise ValueError(f"panel {panel.title!r}: no column is headed {link.title!r}, so nothing leads there")
        properties = [dashboard.DynamicConfigValue("links", [{"title": link.title, "url": link.url}])]
        built.override_by_name(link.title, properties)
    return built


BUILDERS: dict[str, Callable[[Panel], Any]] = {"graph": _graph, "stat": _stat, "table": _table}


def files(definitions: Sequence[Dashboard]) -> dict[str, str]:
    """File name -> text; ValueError where two dashboards would be one."""
    made: dict[str, str] = {}
    for definition in definitions:
        name = f"{definition.uid}.json"
        if name in made:
            raise ValueError(f"two dashboards have the uid {definition.uid!r}; it is their address and file name")
        made[name] = as_json(definition)
    return made
