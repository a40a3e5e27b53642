"""Columns that metrics and saved queries read: elements of semantic models, other metrics, columns of models.

A metric has one column of its own name, a saved query one for each of its metrics and groups. A name such as
`customer__segment` is followed as MetricFlow does: to the metric's own semantic model, or along entities to
another one that has this entity as its key:
https://docs.getdbt.com/docs/build/join-logic, https://docs.getdbt.com/docs/build/dimensions
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from recce_meta.models.lineage import (
    UNSURE,
    ColumnOutput,
    ColumnSource,
    ColumnUse,
    Kind,
    NodeColumns,
    Tier,
    Usage,
)
from recce_meta.models.node import Json, NodeMetadata
from recce_meta.sql_lineage.project.filters import ElementName, filter_texts, names_in

SEMANTIC_MODEL, METRIC, SAVED_QUERY = "semantic_model", "metric", "saved_query"
DEFINITIONS = frozenset([METRIC, SAVED_QUERY])
"""Resource types that read semantic models."""
DEFINITION_PREFIXES = tuple(f"{one}." for one in (SEMANTIC_MODEL, METRIC, SAVED_QUERY))
"""Prefixes of ids of nodes that are not built as a whole: each of their columns fails by itself."""
SECTIONS = ("entities", "dimensions", "measures")
"""Keys of a semantic model with its elements."""
_KEYS = frozenset(["primary", "unique", "natural"])
"""Types of entities by which another semantic model can join theirs."""
_TIME = "metric_time"
"""Name that stands for the time dimension of each measure."""
_SPINE = ("metricflow_time_spine", "date_day")
"""Model and column of the time spine until dbt 1.8."""

_GRANULARITIES = frozenset(
    "nanosecond microsecond millisecond second minute hour day week month quarter year".split()
)


class Place(NamedTuple):
    """Column of a node."""

    parent: str
    column: str


Reads = dict[Place, float]
"""Confidences by column."""


class DefinitionColumns(Struct, frozen=True):
    """What a metric or saved query reads by names; `expressions` are left to the analysis of SQL."""

    columns: NodeColumns
    model: str | None = None
    """Node whose columns `expressions` read."""
    expressions: tuple[tuple[str, str], ...] = ()
    """Output columns with their SQL."""

    def scaled(self, certainty: float, tier: Tier) -> NodeColumns:
        """Return the columns of the quality *tier*, with each confidence times *certainty*."""

        def sure(confidence: float) -> float:
            return round(confidence * certainty, 2)

        def of(sources: Iterable[ColumnSource]) -> tuple[ColumnSource, ...]:
            return tuple(replace(one, confidence=sure(one.confidence)) for one in sources)

        return replace(
            self.columns,
            tier=tier,
            outputs=tuple(replace(one, sources=of(one.sources)) for one in self.columns.outputs),
            uses=tuple(replace(one, confidence=sure(one.confidence)) for one in self.columns.uses),
            references=of(self.columns.references),
        )


class SemanticModel(Struct, frozen=True):
    """Elements of one semantic model."""

    unique_id: str
    name: str
    model: str | None
    entities: Mapping[str, str]
    """Types by name."""
    dimensions: frozenset[str]
    measures: Mapping[str, Mapping[str, Json]]
    primary_entity: str | None
    time: str | None
    """Default time dimension of its measures."""

    def at(self, element: str) -> Place:
        """Return the column of *element*."""
        return Place(self.unique_id, element)

    def has(self, element: str) -> bool:
        """Return True if queries can group or filter by *element*."""
        return element in self.entities or element in self.dimensions

    def is_key(self, entity: str) -> bool:
        """Return True if *entity* is a key, so that other semantic models join by it."""
        return self.entities.get(entity) in _KEYS

    def identifies(self, link: str) -> bool:
        """Return True if *link* before the name of an element means this semantic model."""
        return link == self.primary_entity or self.is_key(link)


def is_semantic(node: NodeMetadata) -> bool:
    """Return True if *node* is part of the semantic layer: a definition, or a time spine."""
    return node.resource_type in {SEMANTIC_MODEL, *DEFINITIONS} or bool(_spine_columns(node))


def reads_by_name(node: NodeMetadata) -> bool:
    """Return True if *node* is a definition without SQL of its own: names alone determine what it reads."""
    if node.resource_type == METRIC:
        return "type_params" in node.properties and not _inputs(node).aggregation
    return node.resource_type == SAVED_QUERY


class SemanticLayer:
    """Semantic models and metrics of a project, and what its definitions read of them."""

    def __init__(self, nodes: Iterable[NodeMetadata]) -> None:
        """Read the definitions of *nodes*, which must be all semantic models and metrics of the project."""
        self._models: dict[str, SemanticModel] = {}
        self._metrics: dict[str, NodeMetadata] = {}
        self._spines: list[Place] = []
        self._granularities = set(_GRANULARITIES)
        self._times: dict[str, Reads] = {}
        self._bases: dict[str, dict[str, SemanticModel]] = {}
        self._with_spine: dict[str, bool] = {}
        for node in nodes:
            if node.resource_type == SEMANTIC_MODEL:
                self._models[node.unique_id] = _semantic_model(node)
            elif node.resource_type == METRIC:
                self._metrics.setdefault(node.name, node)
            elif is_semantic(node):
                self._spines += _spine_columns(node)
                spine = _mapping(node.properties.get("time_spine"))
                self._granularities |= {_name(one) for one in _list(spine.get("custom_granularities"))}

    def columns_of(self, node: NodeMetadata) -> DefinitionColumns:
        """Return what the metric or saved query *node* reads."""
        found = _DefinitionReading(self)
        if node.resource_type == SAVED_QUERY:
            return found.saved_query(node)
        return found.metric(node) if "type_params" in node.properties else found.former_metric(node)

    def metric(self, name: str) -> NodeMetadata | None:
        """Return the metric *name*."""
        return self._metrics.get(name)

    def measured(self, name: str, parents: Sequence[str]) -> list[SemanticModel]:
        """Return the semantic models with the measure *name*, else those of *parents*."""
        found = [model for model in self._models.values() if name in model.measures]
        return found or [self._models[one] for one in parents if one in self._models]

    def named(self, name: Json) -> list[SemanticModel]:
        """Return the semantic models *name*."""
        return [model for model in self._models.values() if model.name == name]

    def times(self, metric: NodeMetadata | None) -> Reads:
        """Return the time dimensions of the measures of *metric*, and of its input metrics."""
        if metric is None:
            return {}
        if metric.name not in self._times:
            found = self._times[metric.name] = {}  # ends a cycle
            for model, time in self._measured(metric):
                if time:
                    found[model.at(time)] = 1.0
            for above in self._inputs_of(metric):
                found.update(self.times(above))
        return self._times[metric.name]

    def bases(self, metric: NodeMetadata | None) -> list[SemanticModel]:
        """Return the semantic models whose measures *metric* needs, directly or through other metrics."""
        if metric is None:
            return []
        if metric.name not in self._bases:
            found = self._bases[metric.name] = {}
            found.update((model.unique_id, model) for model, _ in self._measured(metric))
            for above in self._inputs_of(metric):
                found.update((model.unique_id, model) for model in self.bases(above))
        return list(self._bases[metric.name].values())

    def spines(self, metric: NodeMetadata | None = None) -> Reads:
        """Return the columns of time spines, if queries of *metric* by time join them; all without it."""
        if metric is not None and not self._joins_spine(metric):
            return {}
        return dict.fromkeys(self._spines, 1.0 if len(self._spines) == 1 else UNSURE)

    def _joins_spine(self, metric: NodeMetadata) -> bool:
        if metric.name not in self._with_spine:
            inputs = _inputs(metric)
            params = _mapping(metric.properties.get("type_params"))
            parts = [_mapping(one) for one in (params, *inputs.measures, *inputs.metrics)]
            joins = ("join_to_timespine", "offset_window", "offset_to_grain")
            self._with_spine[metric.name] = _is_cumulative(metric) or any(
                one.get(key) for one in parts for key in joins
            )
            self._with_spine[metric.name] |= any(map(self._joins_spine, self._inputs_of(metric)))
        return self._with_spine[metric.name]

    def _inputs_of(self, metric: NodeMetadata) -> list[NodeMetadata]:
        found = [self.metric(_name(part)) for part in _inputs(metric).metrics]
        return [one for one in found if one is not None]

    def _measured(self, metric: NodeMetadata) -> Iterator[tuple[SemanticModel, str | None]]:
        """Yield the semantic models of the measures of *metric*, with the time dimension of each."""
        inputs = _inputs(metric)
        for part in inputs.measures:
            for model in self.measured(_name(part), metric.parents):
                own = (model.measures.get(_name(part)) or {}).get("agg_time_dimension")
                yield model, own if isinstance(own, str) else model.time
        if inputs.aggregation:
            for model in self.named(inputs.aggregation.get("semantic_model")):
                own = inputs.aggregation.get("agg_time_dimension")
                yield model, own if isinstance(own, str) else model.time

    def element(self, base: SemanticModel, parts: Sequence[str]) -> tuple[Reads, Reads]:
        """Return the columns that `a__b__element` means from *base*, and those that join them.

        If no semantic model has the element, return the columns that it would be.
        """
        is_grain = len(parts) > 1 and (parts[-1] in self._granularities or parts[-1].startswith("extract_"))
        for *links, element in (parts, parts[:-1]) if is_grain else (parts,):
            owners = self._owners(base, links)
            having = [owner for owner in owners if owner.model.has(element)]
            if having:
                # Elements of the metric's own semantic model come before those of others.
                return _spread([one for one in having if one.model is base] or having, element)
        # MetricFlow also accepts a path without its first entity.
        longer = [one for entity in base.entities for one in self._owners(base, [entity, *links])]
        if links and not owners and (having := [one for one in longer if one.model.has(element)]):
            return _spread(having, element)
        named = self.anywhere(element)
        if owners and (links or not named):
            return _spread(owners, element)
        return named, {}

    def anywhere(self, element: str) -> Reads:
        """Return the columns of all elements named *element*: without a known path any may be meant."""
        return {model.at(element): UNSURE for model in self._models.values() if model.has(element)}

    def _owners(self, base: SemanticModel, links: Sequence[str]) -> list[_Owner]:
        """Return the semantic models at the end of *links*, with the entities that join them."""
        ends = [_Owner(base, {})]
        for link in links:
            ends = [
                _Owner(other, {**one.joins, one.model.at(link): 1.0, other.at(link): 1.0})
                for one in ends
                if link in one.model.entities
                for other in self._models.values()
                if other is not one.model and other.is_key(link)
            ]
        is_own = len(links) == 1 and base.identifies(links[0])
        return [_Owner(base, {}), *ends] if is_own else ends


class _Owner(NamedTuple):
    """Semantic model that may have an element."""

    model: SemanticModel
    joins: Reads
    """Entities that join it to the metric's own semantic model."""


def _spread(owners: Sequence[_Owner], element: str) -> tuple[Reads, Reads]:
    """Return *element* of each of *owners*, and the columns that join them; unsure if there are several."""
    sure = 1.0 if len(owners) == 1 else UNSURE
    joins = {place for owner in owners for place in owner.joins}
    return {owner.model.at(element): sure for owner in owners}, dict.fromkeys(joins, sure)


class _Inputs(NamedTuple):
    """What the definition of a metric names."""

    measures: Sequence[Json]
    metrics: Sequence[Json]
    aggregation: Mapping[str, Json]
    """Aggregation of a metric that reads columns without a measure (dbt 1.12, dbt Fusion)."""


def _inputs(metric: NodeMetadata) -> _Inputs:
    params = _mapping(metric.properties.get("type_params"))
    conversion = _mapping(params.get("conversion_type_params"))
    cumulative = _mapping(params.get("cumulative_type_params"))
    measures = (params.get("measure"), conversion.get("base_measure"), conversion.get("conversion_measure"))
    metrics = (
        *(params.get("numerator"), params.get("denominator"), cumulative.get("metric")),
        *(conversion.get("base_metric"), conversion.get("conversion_metric")),
        *_list(params.get("metrics")),
    )
    aggregation = _mapping(params.get("metric_aggregation_params"))
    return _Inputs([one for one in measures if one], [one for one in metrics if one], aggregation)


def _is_cumulative(metric: NodeMetadata | None) -> bool:
    return metric is not None and metric.properties.get("type") == "cumulative"


class _DefinitionReading:
    """Columns that one definition reads, collected while it is read."""

    def __init__(self, layer: SemanticLayer) -> None:
        self._layer = layer
        self._outputs: dict[str, tuple[Kind, Reads]] = {}
        self._uses: dict[Usage, Reads] = {usage: {} for usage in Usage}
        self._model: str | None = None
        self._expressions: list[tuple[str, str]] = []

    def metric(self, node: NodeMetadata) -> DefinitionColumns:
        """Return what a metric of dbt 1.6 or later reads."""
        layer, inputs = self._layer, _inputs(node)
        params = _mapping(node.properties.get("type_params"))
        kind = Kind.DERIVED if inputs.metrics else Kind.AGGREGATED
        values = self._output(node.name, kind)
        for part in inputs.measures:
            owners = layer.measured(_name(part), node.parents)
            sure = 1.0 if len(owners) == 1 else UNSURE
            for model in owners:
                _add(values, {model.at(_name(part)): sure})
                self._non_additive(model, model.measures.get(_name(part)) or {})
        for part in inputs.metrics:
            self._metric(values, _name(part), node.parents)
        if inputs.aggregation:
            self._aggregation(node, params, inputs.aggregation)
        self._over_time(node, params)
        self._conversion(params, layer.bases(node))
        self._filters(node.properties.get("filter"), [node])
        for part in inputs.measures:
            self._filters(_mapping(part).get("filter"), [node])
        for part in inputs.metrics:
            self._filters(_mapping(part).get("filter"), [layer.metric(_name(part))])
        return self._definition()

    def _aggregation(
        self, node: NodeMetadata, params: Mapping[str, Json], aggregation: Mapping[str, Json]
    ) -> None:
        expression = aggregation.get("expr") or params.get("expr") or node.name
        for model in self._layer.named(aggregation.get("semantic_model")):
            self._model = model.model
            self._non_additive(model, aggregation)
        self._expressions.append((node.name, str(expression)))

    def _non_additive(self, model: SemanticModel, measure: Mapping[str, Json]) -> None:
        own = _mapping(measure.get("non_additive_dimension"))
        names = [own.get("name"), *_list(own.get("window_groupings"))]
        for name in names:
            if isinstance(name, str):
                _add(self._uses[Usage.FILTER], {model.at(name): 1.0})

    def _over_time(self, node: NodeMetadata, params: Mapping[str, Json]) -> None:
        """Add the time dimension of a metric's measures, which most metrics need only in queries by time."""
        cumulative = _mapping(params.get("cumulative_type_params"))
        parts = [params, cumulative, *map(_mapping, _inputs(node).metrics)]
        keys = ("window", "grain_to_date", "offset_window", "offset_to_grain")
        if any(one.get(key) for one in parts for key in keys):
            # All queries of it group by time.
            _add(self._uses[Usage.JOIN], {**self._layer.times(node), **self._layer.spines()})
        elif params.get("conversion_type_params"):
            _add(self._uses[Usage.FILTER], self._layer.times(node))
        by_time = {**self._layer.times(node), **self._layer.spines(node)}
        _add(self._uses[Usage.GROUP], dict.fromkeys(by_time, UNSURE))

    def _conversion(self, params: Mapping[str, Json], bases: Sequence[SemanticModel]) -> None:
        conversion = _mapping(params.get("conversion_type_params"))
        names = [conversion.get("entity")]
        for pair in _list(conversion.get("constant_properties")):
            names += list(_mapping(pair).values())
        for name in [name.rpartition("__")[2] for name in names if isinstance(name, str)]:
            owners = [model for model in bases if model.has(name)]
            _add(self._uses[Usage.JOIN], {model.at(name): 1.0 for model in owners})

    def former_metric(self, node: NodeMetadata) -> DefinitionColumns:
        """Return what a metric of dbt 1.0 to 1.5 reads: columns of its model, or other metrics."""
        own = node.properties
        models = [parent for parent in node.parents if not parent.startswith("metric.")]
        values = self._output(node.name, Kind.DERIVED if not models else Kind.AGGREGATED)
        for parent in node.parents:
            if parent.startswith("metric."):
                _add(values, {Place(parent, parent.rpartition(".")[2]): 1.0})
        if len(models) == 1:
            self._model = models[0]
            text = own.get("expression") or own.get("sql")
            if isinstance(text, str) and text.strip():
                self._expressions.append((node.name, text))
            for one in _list(own.get("filters")):
                if isinstance(field := _mapping(one).get("field"), str):
                    _add(self._uses[Usage.FILTER], {Place(models[0], field): 1.0})
            for name in (own.get("timestamp"), *_list(own.get("dimensions"))):
                if isinstance(name, str):
                    _add(self._uses[Usage.GROUP], {Place(models[0], name): UNSURE})
        return self._definition()

    def saved_query(self, node: NodeMetadata) -> DefinitionColumns:
        """Return what a saved query reads."""
        params = _mapping(node.properties.get("query_params"))
        names = [name for name in _list(params.get("metrics")) if isinstance(name, str)]
        for name in names:
            self._metric(self._output(name, Kind.PASSTHROUGH), name, node.parents)
        metrics = [self._layer.metric(name) for name in names]
        times, spines = self._times(metrics)
        for text in _list(params.get("group_by")):
            for element in names_in(f"{{{{ {text} }}}}"):
                output = self._output("__".join(element.parts), Kind.RENAMED)
                self._element(element, metrics, output)
                if output.keys() & times.keys():
                    _add(self._uses[Usage.JOIN], spines)
                _add(self._uses[Usage.GROUP], output)
        self._filters(params.get("where"), metrics)
        return self._definition()

    def _times(self, metrics: Iterable[NodeMetadata | None]) -> tuple[Reads, Reads]:
        times: Reads = {}
        spines: Reads = {}
        for metric in metrics:
            _add(times, self._layer.times(metric))
            _add(spines, self._layer.spines(metric) if metric else {})
        return times, spines

    def _metric(self, values: Reads, name: str, parents: Sequence[str]) -> None:
        found = self._layer.metric(name)
        ids = [parent for parent in parents if parent.startswith("metric.") and parent.endswith(f".{name}")]
        if found is not None or ids:
            _add(values, {Place(ids[0] if found is None else found.unique_id, name): 1.0})

    def _filters(self, value: Json, metrics: Sequence[NodeMetadata | None]) -> None:
        found: Reads = {}
        for text in filter_texts(value):
            for name in names_in(text):
                self._element(name, metrics, found)
        if any(found.keys() & self._layer.times(one).keys() for one in metrics if _is_cumulative(one)):
            _add(self._uses[Usage.JOIN], self._layer.spines())
        _add(self._uses[Usage.FILTER], found)

    def _element(self, name: ElementName, metrics: Sequence[NodeMetadata | None], into: Reads) -> None:
        """Add what *name* means in a query of *metrics* to *into*, and what joins it."""
        if name.is_metric:
            self._metric(into, name.text, ())
            return
        if name.parts[0] == _TIME:
            _add(into, self._times(metrics)[0])
            return
        asked = [*metrics, self._layer.metric(name.of_metric)]
        bases = {base.unique_id: base for metric in asked for base in self._layer.bases(metric)}
        if not bases:
            _add(into, self._layer.anywhere(name.parts[-1]))
        for base in bases.values():
            for reads, where in zip(
                self._layer.element(base, name.parts), (into, self._uses[Usage.JOIN]), strict=True
            ):
                _add(where, {place: min(sure, name.confidence) for place, sure in reads.items()})

    def _output(self, name: str, kind: Kind) -> Reads:
        return self._outputs.setdefault(name, (kind, {}))[1]

    def _definition(self) -> DefinitionColumns:
        outputs = tuple(
            ColumnOutput(name, kind, None, tuple(_sources(reads)))
            for name, (kind, reads) in self._outputs.items()
        )
        uses = [
            ColumnUse(usage, *place, sure)
            for usage, reads in self._uses.items()
            for place, sure in reads.items()
        ]
        named: Reads = {}
        for reads in (*(reads for _, reads in self._outputs.values()), *self._uses.values()):
            _add(named, reads)
        columns = NodeColumns(outputs=outputs, uses=tuple(sorted(uses)), references=tuple(_sources(named)))
        return DefinitionColumns(columns, self._model, tuple(self._expressions))


def _add(reads: Reads, more: Reads) -> None:
    for place, sure in more.items():
        reads[place] = max(sure, reads.get(place, 0.0))


def _sources(reads: Reads) -> list[ColumnSource]:
    return sorted(ColumnSource(*place, sure) for place, sure in reads.items())


def _semantic_model(node: NodeMetadata) -> SemanticModel:
    own = node.properties
    elements = {
        section: {name: one for one in _list(own.get(section)) if (name := _name(one))}
        for section in SECTIONS
    }
    primary = own.get("primary_entity")
    time = _mapping(own.get("defaults")).get("agg_time_dimension")
    return SemanticModel(
        unique_id=node.unique_id,
        name=node.name,
        model=node.parents[0] if len(node.parents) == 1 else None,
        entities={name: str(one.get("type") or "") for name, one in elements["entities"].items()},
        dimensions=frozenset(elements["dimensions"]),
        measures=elements["measures"],
        primary_entity=primary if isinstance(primary, str) else None,
        time=time if isinstance(time, str) else None,
    )


def _spine_columns(node: NodeMetadata) -> list[Place]:
    if node.resource_type != "model":
        return []
    spine = _mapping(node.properties.get("time_spine"))
    names = [spine.get("standard_granularity_column")]
    if not spine and node.name == _SPINE[0]:
        names = [_SPINE[1]]
    return [Place(node.unique_id, name) for name in names if isinstance(name, str)]


def _name(value: Json) -> str:
    name = value.get("name") if isinstance(value, dict) else value
    return name if isinstance(name, str) else ""


def _mapping(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, dict) else {}


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []
