"""Functions by their effect on rows and values: expanding, aggregating, unstable, or unknown.

A function is unknown if its name is not that of a built-in. It may be user-defined, return a different value
at each call and, in some dialects, yield several rows. How often a query reads an unstable value determines
whether its readers see the same value.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from sqlglot import exp

from recce_meta.sql_diff.positions import queries_in
from recce_meta.sql_lineage.expressions import args
from recce_meta.sql_lineage.query import (
    Alias,
    Merged,
    Output,
    Pivot,
    Query,
    QuerySource,
    Reference,
    Select,
    SetOperation,
    SourceColumn,
)
from recce_meta.sql_lineage.scope import is_open
from recce_meta.sql_lineage.trace import makes_rows
from recce_meta.warehouses.types import Sql

CERTAIN_AGGREGATES = frozenset(
    """
    any_value array_concat_agg arbitrary bit_and bit_or bit_xor bitstring_agg bool_and bool_or collect_list
    collect_set count_if count_star entropy every favg fsum geometric_mean group_concat hash_agg histogram
    json_agg json_group_array json_group_object json_object_agg jsonb_agg jsonb_object_agg kahan_sum
    kurtosis_pop listagg mad map_union max_by min_by object_agg product reservoir_quantile sumkahan string_agg
    xmlagg
    """.split()
)
"""Names that can only mean an aggregate, without a class in some version of sqlglot.

Calls of other unknown names may be user-defined.
"""


def in_this_query(node: Sql) -> Iterator[Sql]:
    """Yield *node* and all nodes below it, excluding nested queries."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        for child in current.iter_expressions():
            if not isinstance(child, exp.Query):
                stack.append(child)


def aggregates(node: Sql) -> bool | None:
    """Return whether *node* aggregates rows. None if it calls an unknown function.

    An aggregate over a window yields a value for each row and does not count; aggregates in its arguments do.
    """
    unknown = False
    stack = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, exp.Window):
            stack.extend(window_arguments(current))
            continue
        known = is_aggregate(current)
        if known:
            return True
        unknown = unknown or known is None
        stack.extend(child for child in current.iter_expressions() if not isinstance(child, exp.Query))
    return None if unknown else False


def aggregates_of_outer(queries: Iterable[Query], sources: Sequence[QuerySource]) -> bool:
    """Return whether an aggregate in *queries* belongs to the enclosing query, whose sources are *sources*.

    Standard SQL: an aggregate belongs to the query that the columns in its arguments come from.
    """
    stack = list(queries)
    while stack:
        query = stack.pop()
        if isinstance(query, SetOperation):
            stack += query.operands
        elif isinstance(query, Select):
            for node in (output.node for output in query.outputs if output.node is not None):
                for call in in_this_query(node):
                    is_one = is_aggregate(call) is not False and not isinstance(call.parent, exp.Window)
                    if is_one and _is_of(call, query, sources):
                        return True
            stack += [below for output in query.outputs for below in output.reads.subqueries]
    return False


def _is_of(call: Sql, query: Select, sources: Sequence[QuerySource]) -> bool:
    """Return whether all columns in *call* certainly belong to *sources*, although it is in *query*."""
    columns = list(call.find_all(exp.Column))
    are_known = not any(is_open(source) for source in query.sources)
    references = [query.references.get(id(column)) for column in columns]
    return bool(columns) and all(
        isinstance(one, SourceColumn)
        and any(one.source is source for source in sources)
        and (are_known or column.args.get("table") is not None)
        for one, column in zip(references, columns, strict=True)
    )


def window_arguments(window: exp.Window) -> Iterator[Sql]:
    """Yield the expressions computed before the window: function arguments, partition and order."""
    for child in window.iter_expressions():
        if child is not window.this:
            yield child
    call: Sql = window.this
    while isinstance(call, (exp.IgnoreNulls, exp.RespectNulls, exp.Filter, exp.WithinGroup)):
        for argument in call.iter_expressions():
            if argument is not call.this:
                yield argument
        call = call.this
    if isinstance(call, Sql):
        yield from call.iter_expressions()


def is_aggregate(node: Sql) -> bool | None:
    """Return whether this call is an aggregate. None if unknown."""
    if isinstance(node, (exp.Max, exp.Min)) and node.expressions:
        return None  # with several arguments: the greatest of one row, in SQLite
    if isinstance(node, (exp.AggFunc, exp.WithinGroup)):
        return True
    if isinstance(node, exp.Anonymous):
        return True if node.name.lower() in CERTAIN_AGGREGATES else None
    return False


def has_unknown_calls_only(node: Sql) -> bool:
    """Return whether every column of *node* is inside a call of an unknown function."""
    stack = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, exp.Anonymous):
            continue
        if isinstance(current, (exp.Column, exp.Star)):
            return False
        stack.extend(child for child in current.iter_expressions() if not isinstance(child, exp.Query))
    return True


def rolls_up(group: Sql) -> bool:
    """Return whether `group by a, b with rollup` makes subtotals, for which the order of columns counts."""
    return group.args.get("rollup") is True or any(not one.expressions for one in args(group, "rollup"))


_SUBTOTALS = frozenset({"rollup", "cube", "groupingsets", "grouping sets"})


def has_subtotals(group: Sql) -> bool:
    """Return whether GROUP BY makes groups in which columns that it names are NULL: ROLLUP, CUBE."""
    if any(value for name, value in group.args.items() if name not in ("expressions", "all")):
        return True
    return any(
        (node.name.lower() if isinstance(node, exp.Anonymous) else node.key) in _SUBTOTALS
        for node in group.walk()
    )


KNOWN = frozenset(
    """
    abbrev acosd add_months age aggregate apply approx_quantile area arg_max arg_min argmax argmin
    array_aggr array_aggregate array_apply array_cosine_distance array_cosine_similarity array_cross_product
    array_dims array_distance array_dot_product array_except array_extract array_fill array_filter
    array_generate_range array_has array_has_all array_has_any array_indexof array_inner_product
    array_is_distinct array_join array_length array_lower array_max array_min array_ndims array_overlap
    array_pop_back array_pop_front array_position array_positions array_prepend array_push_back
    array_push_front array_reduce array_remove array_repeat array_replace array_resize array_reverse
    array_select array_slice array_sort array_to_json array_to_string array_to_tsvector array_transform
    array_union array_unique array_upper array_value array_where array_zip arraydistinct arrayelement
    arrayfilter arraymap arrays_overlap arrays_zip arraysort as_array as_char as_date as_double as_integer
    as_object as_varchar asind assert_true atan2d atand bar base64 base64_decode_string base64_encode bin
    bit_count bit_length bit_position bitstring bround btrim byte_length cardinality cbrt ceil_div century
    char_length character_length charindex chr clock_timestamp code_points_to_string collate concat
    concat_ws conv convert_from convert_timezone convert_to cosd cot cotd crc32 current_setting currval
    damerau_levenshtein date_diff date_from_parts date_from_unix_date date_part date_sub date_trunc dateadd
    datediff datepart datesub day dayname dayofmonth dayofweek dayofyear days_in_month decade decode degrees
    difference div div0 div0null divide editdistance elem_at element_at elt encode endswith enum_code
    enum_first enum_last enum_range epoch epoch_ms epoch_ns epoch_us equal_null equi_width_bins era even
    factorial farm_fingerprint fdiv field find_in_set first first_value flatten fmod format format_bytes
    format_date format_datetime format_number format_timestamp format_type from_base32 from_base64
    from_binary from_hex from_json from_unixtime from_utc_timestamp gamma gcd gen_random_bytes
    gen_random_uuid generate_uuid get get_bit get_byte get_ddl get_json_object get_path getbit getdate
    getvariable grade_up greatest_common_divisor hamming hamming_distance has hash haversine hex
    hex_decode_string hex_encode host hostmask hour if iff ifnull ilike_escape inet_merge initcap insert
    instr invoke is_array is_boolean is_date is_decimal is_double is_inf is_integer is_nan is_null_value
    is_object is_timestamp is_varchar isdate isempty isfinite isinf isnan isnull isnumeric isodow isoyear
    jaccard jaro_similarity jaro_winkler_similarity jarowinkler_similarity json_array json_array_length
    json_build_array json_build_object json_contains json_deep_merge json_deserialize json_exists
    json_extract_array json_extract_array_element_text json_extract_path json_extract_path_text
    json_extract_scalar json_extract_string json_insert json_keys json_merge_patch json_normalize
    json_object json_parse json_pretty json_query json_quote json_replace json_serialize json_set json_size
    json_strip_nulls json_structure json_transform json_transform_strict json_type json_typeof json_valid
    json_value jsonb_array_length jsonb_build_array jsonb_build_object jsonb_insert jsonb_object
    jsonb_path_exists jsonb_path_match jsonb_path_query_array jsonb_path_query_first jsonb_pretty jsonb_set
    jsonb_set_lax jsonb_strip_nulls jsonb_typeof julian last last_day last_value lastval lcm
    least_common_multiple left_grapheme len length_grapheme lgamma like_escape list_aggr list_aggregate
    list_any_value list_append list_apply list_avg list_bool_and list_bool_or list_cat list_concat
    list_contains list_cosine_similarity list_count list_distance list_distinct list_dot_product
    list_element list_extract list_filter list_first list_grade_up list_has list_has_all list_has_any
    list_indexof list_inner_product list_intersect list_last list_max list_median list_min list_mode
    list_pack list_position list_prepend list_product list_reduce list_resize list_reverse list_reverse_sort
    list_select list_slice list_sort list_stddev_pop list_stddev_samp list_string_agg list_sum
    list_transform list_unique list_value list_var_pop list_var_samp list_where list_zip ln localtimestamp
    locate log10 log1p log2 lower_inc lower_inf lpad ltrim make_date make_interval make_time make_timestamp
    make_timestamp_ms make_timestamp_ns make_timestamptz map_concat map_contains map_contains_key
    map_entries map_extract map_extract_value map_filter map_from_arrays map_from_entries map_keys
    map_values masklen max_by md5_number md5_number_lower md5_number_upper microsecond millennium
    millisecond min_by mismatches mode monotonically_increasing_id month monthname months_between multiply
    nanosecond neighbor netmask network newid next_day nextafter nextval nfc_normalize normalize now
    null_if_zero nullifzero num_nonnulls num_nulls numrange nvl2 object_construct object_construct_keep_null
    object_delete object_insert object_keys object_pick octet_length ord overlay parse_date parse_dirname
    parse_dirpath parse_filename parse_ident parse_json parse_path parse_url parse_xml patindex
    pg_size_pretty pg_typeof phraseto_tsquery pi plainto_tsquery pmod prefix previous_day printf quarter
    quote_ident quote_literal quote_nullable radians rand randn random random_normal randstr range_merge
    ratio_to_report regexp_count regexp_escape regexp_extract_all regexp_instr regexp_like regexp_match
    regexp_split_to_array regexp_substr regexp_substr_all repeat replicate reverse right_grapheme round_even
    roundbankers row row_to_json rownumberinallblocks rownumberinblock rpad rtrim runningaccumulate
    runningdifference safe_add safe_cast safe_divide safe_multiply safe_negate safe_subtract scale seq1 seq2
    seq4 seq8 sequence set_bit set_byte setbit setseed setval sha sha1 sha2 sha224 sha256 sha384 sha512
    shuffle sign signbit sind sinh size slice sort_array soundex soundex_p123 space split_part
    split_to_array sqrt square st_area st_asbinary st_asgeojson st_astext st_aswkb st_aswkt st_buffer
    st_centroid st_contains st_distance st_dwithin st_geogfromtext st_geogpoint st_geographyfromwkb
    st_geomfromgeojson st_geomfromtext st_geomfromwkb st_intersection st_intersects st_length st_makeline
    st_makepoint st_point st_setsrid st_transform st_within st_x st_y startswith statement_timestamp str
    strip_accents strip_null_value strleft strlen strpos strright strtok strtok_to_array struct_concat
    struct_contains struct_extract struct_extract_at struct_insert struct_keys struct_pack struct_update
    struct_values stuff subarray substr substring substring_grapheme substring_index subtract suffix sysdate
    systimestamp tan tand tanh textlen time_from_parts time_slice timediff timeofday timestamp_from_parts
    timestamp_micros timestamp_millis timestamp_seconds timestampadd timestampdiff timezone timezone_hour
    timezone_minute to_array to_ascii to_base to_base32 to_base64 to_binary to_boolean to_char
    to_code_points to_date to_days to_decimal to_double to_geography to_geometry to_hex to_hours to_json
    to_json_string to_jsonb to_microseconds to_milliseconds to_minutes to_months to_number to_numeric
    to_object to_seconds to_time to_timestamp to_timestamp_ltz to_timestamp_ntz to_timestamp_tz to_tsquery
    to_tsvector to_unix_timestamp to_utc_timestamp to_varchar to_variant to_weeks to_years todate todatetime
    todatetime64 todayofmonth todayofweek tofloat32 tofloat64 tohour toint16 toint32 toint64 toint8 tominute
    tomonth tosecond tostartofday tostartofhour tostartofinterval tostartofminute tostartofmonth
    tostartofquarter tostartofweek tostartofyear tostring touint16 touint32 touint64 touint8 tounixtimestamp
    toyear toyyyymm toyyyymmdd transaction_timestamp translate trim_array trim_scale trunc
    try_base64_decode_string try_cast try_hex_decode_string try_parse_json try_strptime try_to_binary
    try_to_boolean try_to_date try_to_decimal try_to_double try_to_number try_to_numeric try_to_time
    try_to_timestamp try_to_timestamp_ltz try_to_timestamp_ntz try_to_timestamp_tz ts_rank ts_rank_cd
    tsrange tstzrange typeof unbin unhex unicode uniform union_extract union_tag union_value unistr
    unix_date unix_micros unix_millis unix_seconds upper_inc upper_inf url_decode url_encode uuid
    uuid_generate_v1 uuid_generate_v4 variant_typeof websearch_to_tsquery week weekday weekiso weekofyear
    width_bucket xmlget xpath xpath_exists year yearofweek yearofweekiso yearweek zeroifnull
    """.split()
)
"""Functions that yield exactly one value for a row, stable unless listed in `stability`."""
OF_THE_WAREHOUSE = frozenset("pg_catalog main system information_schema safe net hll_count keys aead".split())
"""Schemas of built-in functions, and prefixes of functions in BigQuery."""
CAN_GIVE_ROWS = frozenset(
    {"", "postgres", "materialize", "risingwave", "duckdb", "clickhouse", "hive", "spark", "spark2"}
)
"""Dialects in which a user-defined function can yield several rows in a select list.

https://www.postgresql.org/docs/current/xfunc-sql.html#XFUNC-SQL-FUNCTIONS-RETURNING-SET
https://duckdb.org/docs/stable/sql/statements/create_macro: a scalar macro can call `unnest`.
https://clickhouse.com/docs/sql-reference/statements/create/function: a lambda can call `arrayJoin`.
https://spark.apache.org/docs/latest/sql-ref-functions-udf-hive.html: a UDTF of Hive.
"""


def is_unknown(call: Sql) -> bool:
    """Return whether the function *call* may be user-defined."""
    around = call.parent
    if isinstance(around, exp.Dot) and around.expression is call:
        schema = around.this.expression if isinstance(around.this, exp.Dot) else around.this
        if isinstance(schema, exp.Identifier):
            return schema.name.lower() not in OF_THE_WAREHOUSE
    name = call.name.lower()
    is_known = name in KNOWN or name in CERTAIN_AGGREGATES or name.upper() in exp.FUNCTION_BY_NAME
    return isinstance(call, exp.Anonymous) and not is_known


def row_makers(node: Sql, dialect: str) -> list[Sql]:
    """Return the calls in *node* that may turn one row into several or none."""
    return [
        found
        for found in in_this_query(node)
        if makes_rows(found, dialect)
        or (dialect in CAN_GIVE_ROWS and isinstance(found, exp.Func) and is_unknown(found))
    ]


WINDOW = 1
"""Bit of a value that depends on the other rows of its query."""
UNSTABLE = 2
"""Bit of a value that may differ when it is computed again."""
BY_ARRIVAL = 4
"""Bit of a value that depends on the order in which rows arrive, without an ORDER BY."""
VOLATILE = re.compile(
    r"""(?ix) .*(rand|uuid|newid|nextval|currval|lastval|setval|seq\d|clock_timestamp|sysdate|now).*
    | shuffle | monotonically_?increasing_?id | neighbor | running\w+ | row_?number\w* | timeofday"""
)
"""Functions that may return a different value for each row or call."""
VARYING_TEXT = re.compile(
    r"""(?ix) \b (?: current_(?:date|time) | local_?time | now | today | get(?:utc)?date | sysdate
    | systimestamp | timeofday | rand | transaction_time | statement_time | clock_time | newid | nextval
    | (?:gen_random_|generate_)?uuid )"""
)
"""Names in SQL text that start like a function of the time or of chance."""
BY_ORDER = re.compile(
    r"""(?ix) .*(array|string|object|map|xml|json\w*|hash)_?(concat_?)?agg.* | group_?concat\w*
    | list | list_?agg | collect_\w+ | any_?value | arbitrary | (arg_?)?(first|last)(_?value)? | (max|min)_?by
    | arg_?(max|min) | nth_?value | ntile | lag | lead | mode | .*sample.*"""
)
"""Aggregates and window functions that depend on an order which need not be total."""


@lru_cache(4096)
def _is_unstable(name: str) -> bool:
    return VOLATILE.fullmatch(name) is not None or BY_ORDER.fullmatch(name) is not None


def binding(node: Sql) -> int:
    """Return how the value of the call *node* depends on its query and on the run, as a sum of bits."""
    if isinstance(node, exp.Window):
        spec = node.args.get("spec")
        # Frames of ROWS cut through rows that are equal in the order, so a second run may yield other values.
        by_rows = spec is not None and str(spec.args.get("kind")).upper() == "ROWS"
        counts = by_rows or isinstance(node.this, exp.RowNumber)
        arrives = BY_ARRIVAL if counts and node.args.get("order") is None else 0
        return WINDOW | arrives | (UNSTABLE if by_rows else 0)
    name = node.name if isinstance(node, exp.Anonymous) else str(node.key)
    if BY_ORDER.fullmatch(name) is not None and node.find(exp.Order) is None:
        return UNSTABLE | BY_ARRIVAL
    return UNSTABLE if _is_unstable(name) or is_unknown(node) else 0


class Uses:
    """Numbers of readers of relations and columns within one statement."""

    def __init__(self, query: Query) -> None:
        self._relations: Counter[int] = Counter()
        self._outputs: Counter[int] = Counter()
        self._numbers: dict[int, int] = {}
        for one in queries_in(query):
            if isinstance(one, Select):
                self._relations.update(id(source.relation) for source in one.sources)
                for source in one.sources:
                    for merged in source.join.using if source.join is not None else ():
                        self._add(merged)
            if isinstance(one, (Select, SetOperation, Pivot)):
                for reference in one.references.values():
                    self._add(reference)
            if isinstance(one, Pivot):
                self._relations[id(one.source.relation)] += 1
            for output in (*one.outputs, *one.implied.values()):
                # References of expressions are already among those of the query.
                if output.node is None or output.from_star:
                    for reference in output.reads.references:
                        self._add(reference)

    def _add(self, reference: Reference) -> None:
        if isinstance(reference, SourceColumn) and reference.output is not None:
            self._outputs[id(reference.output)] += 1
        elif isinstance(reference, Merged):
            for column in reference.columns:
                self._add(column)
        elif isinstance(reference, Alias):
            self._outputs[id(reference.output)] += 1

    def is_read_once(self, output: Output) -> bool:
        """Return whether the statement names *output* at most once."""
        return self._outputs[id(output)] <= 1

    def shared(self, relation: Query) -> int:
        """Return a number for *relation*, the same for each of its readers; 0 if it has only one."""
        if self._relations[id(relation)] <= 1:
            return 0
        # In the order of requests, which is the same for two equal queries.
        return self._numbers.setdefault(id(relation), len(self._numbers) + 1)


_MATCHES = (exp.Like, exp.ILike, exp.SimilarTo, exp.Glob, exp.RegexpLike)
"""Patterns that DuckDB allows after a `*`."""


def chooses_by_name(node: Sql) -> bool:
    """Return whether *node* is `* like 'a%'` or `* similar to 'a'`: its matching columns are unknown."""
    while isinstance(node, (exp.Not, exp.Paren, exp.Escape)):
        node = node.this
    chosen = node.this if isinstance(node, _MATCHES) else None
    return isinstance(chosen.this if isinstance(chosen, exp.Column) else chosen, exp.Star)
