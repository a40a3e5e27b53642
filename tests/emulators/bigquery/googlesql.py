"""GoogleSQL's own analyzer and reference evaluator, in WebAssembly, for the emulator and for tests.

    python tests/emulators/bigquery/googlesql.py    answers requests, one line of JSON each

Runs in a separate environment: `zetasql` needs a version of protobuf that may clash with that of the tests.
"""

from __future__ import annotations

import ctypes
import json
import re
import sys
from pathlib import Path
from typing import Any

import tzdata
from prepare import COMPILED, new_engine
from wasmtime import Linker, Module, Store, WasiConfig
from zetasql.wasi._pb2.zetasql.local_service import local_service_pb2 as service
from zetasql.wasi._pb2.zetasql.proto import options_pb2, simple_catalog_pb2
from zetasql.wasi._pb2.zetasql.public import options_pb2 as public
from zetasql.wasi._pb2.zetasql.public import type_pb2

CATALOGS = 32
"""Number of sets of tables that stay registered."""

FEATURES = {
    "types": """
        NUMERIC_TYPE BIGNUMERIC_TYPE DECIMAL_ALIAS PARAMETERIZED_TYPES JSON_TYPE INTERVAL_TYPE GEOGRAPHY
        RANGE_TYPE CIVIL_TIME EXTENDED_GEOGRAPHY_PARSERS DISABLE_FLOAT32 COLLATION_SUPPORT
        ANNOTATION_FRAMEWORK
        """,
    "queries": """
        ANALYTIC_FUNCTIONS TABLESAMPLE GROUP_BY_ROLLUP GROUPING_SETS GROUPING_BUILTIN GROUP_BY_ALL
        GROUP_BY_STRUCT GROUP_BY_ARRAY WITH_ON_SUBQUERY WITH_RECURSIVE SELECT_STAR_EXCEPT_REPLACE
        QUALIFY PIVOT UNPIVOT IS_DISTINCT LIKE_ANY_SOME_ALL LIKE_ANY_SOME_ALL_SUBQUERY
        LIKE_ANY_SOME_ALL_ARRAY NULLS_FIRST_LAST_IN_ORDER_BY ORDER_BY_COLLATE FOR_SYSTEM_TIME_AS_OF
        PIPES TABLE_VALUED_FUNCTIONS ALLOW_CONSECUTIVE_ON CORRESPONDING CORRESPONDING_FULL BY_NAME
        ALLOW_DASHES_IN_TABLE_NAME
        """,
    "aggregates and functions": """
        ORDER_BY_IN_AGGREGATE LIMIT_IN_AGGREGATE HAVING_IN_AGGREGATE NULL_HANDLING_MODIFIER_IN_AGGREGATE
        NULL_HANDLING_MODIFIER_IN_ANALYTIC SAFE_FUNCTION_CALL WEEK_WITH_WEEKDAY DATE_ARITHMETICS
        FORMAT_IN_CAST DATE_TIME_CONSTRUCTORS EXTENDED_DATE_TIME_SIGNATURES ADDITIONAL_STRING_FUNCTIONS
        CONCAT_MIXED_TYPES ALLOW_REGEXP_EXTRACT_OPTIONALS NAMED_ARGUMENTS TEMPLATE_FUNCTIONS
        ROUND_WITH_ROUNDING_MODE CBRT_FUNCTIONS TIME_BUCKET_FUNCTIONS INVERSE_TRIG_FUNCTIONS
        FIRST_AND_LAST_N STRICT_FUNCTION_DEFAULT_ARG_TYPE_COERCION ENCRYPTION BARE_ARRAY_ACCESS
        TYPEOF_FUNCTION
        """,
    "JSON": """
        JSON_ARRAY_FUNCTIONS JSON_STRICT_NUMBER_PARSING JSON_VALUE_EXTRACTION_FUNCTIONS
        JSON_LAX_VALUE_EXTRACTION_FUNCTIONS JSON_ARRAY_VALUE_EXTRACTION_FUNCTIONS
        JSON_CONSTRUCTOR_FUNCTIONS JSON_MUTATOR_FUNCTIONS JSON_KEYS_FUNCTION
        JSON_MORE_VALUE_EXTRACTION_FUNCTIONS ENABLE_CONSTANT_EXPRESSION_IN_JSON_PATH
        JSON_SUBFIELDS_WITH_SET
        """,
    "DDL and DML": """
        CREATE_TABLE_PARTITION_BY CREATE_TABLE_CLUSTER_BY CREATE_TABLE_NOT_NULL
        CREATE_TABLE_FIELD_ANNOTATIONS CREATE_TABLE_AS_SELECT_COLUMN_LIST CREATE_TABLE_LIKE
        CREATE_TABLE_COPY CREATE_TABLE_CLONE CREATE_SNAPSHOT_TABLE CREATE_VIEW_WITH_COLUMN_LIST
        CREATE_VIEWS_WITH_COLUMN_OPTIONS ALTER_COLUMN_SET_DATA_TYPE ALTER_TABLE_RENAME_COLUMN
        COLUMN_DEFAULT_VALUE FOREIGN_KEYS UNENFORCED_PRIMARY_KEYS DML_UPDATE_WITH_JOIN
        OMIT_INSERT_COLUMN_LIST CREATE_TABLE_FUNCTION
        """,
}
"""Features that BigQuery has released: https://cloud.google.com/bigquery/docs/release-notes"""


class Wrong(Exception):
    """An error that GoogleSQL returns."""


class GoogleSql:
    """The WebAssembly module, with the most recently registered catalogs."""

    def __init__(self) -> None:
        engine = new_engine()
        wasi = WasiConfig()
        wasi.inherit_stderr()
        wasi.preopen_dir(str(Path(tzdata.__file__).parent / "zoneinfo"), "/usr/share/zoneinfo")
        self._store = Store(engine)
        self._store.set_wasi(wasi)
        linker = Linker(engine)
        linker.define_wasi()
        instance = linker.instantiate(self._store, Module.deserialize_file(engine, str(COMPILED)))
        self._exports = instance.exports(self._store)
        self._memory = self._exports["memory"]
        if "_initialize" in self._exports:
            self._exports["_initialize"](self._store)
        self._language = _language()
        self._registered: dict[str, int] = {}
        self._types: dict[str, Any] = {}

    def names(self, sql: str) -> list[list[str]]:
        """Return the parts of the name of each table that *sql*, one statement, reads."""
        request = service.ExtractTableNamesFromStatementRequest(sql_statement=sql, options=self._language)
        data = self._call("ExtractTableNamesFromStatement", request)
        answer = service.ExtractTableNamesFromStatementResponse.FromString(data)
        return [list(name.table_name_segment) for name in answer.table_name]

    def analyze(self, sql: str, tables: list[Any], parameters: list[Any] | None) -> None:
        """Raise `Wrong` if GoogleSQL rejects *sql*.

        *tables* are names, with names and types of columns. Parameters have any type if *parameters* is None.
        """
        options = self._options(parameters)
        options.system_variables.add(name_path=["project_id"], type=self._type("STRING"))
        request = service.AnalyzeRequest(
            sql_statement=sql, options=options, registered_catalog_id=self._catalog(tables)
        )
        self._call("Analyze", request)

    def columns(self, sql: str, tables: list[Any]) -> list[tuple[str, str]]:
        """Return the name and type of each column of *sql*, a query."""
        options = self._options([])
        request = service.PrepareQueryRequest(
            sql=sql, options=options, registered_catalog_id=self._catalog(tables)
        )
        prepared = service.PrepareQueryResponse.FromString(self._call("PrepareQuery", request)).prepared
        done = service.UnprepareQueryRequest(prepared_query_id=prepared.prepared_query_id)
        self._call("UnprepareQuery", done)
        return [(column.name, _text(column.type)) for column in prepared.columns]

    def rows(self, sql: str, tables: dict[str, str]) -> list[str]:
        """Return each row of *sql*, a query, as JSON; *tables* are queries for the rows of its tables."""
        options = self._options([])
        catalog = _functions(self._language)
        content = {}
        for name, query in tables.items():
            columns, content[name] = self._evaluated(query, options, _functions(self._language), {})
            catalog.table.add(name=name).column.extend(columns)
        text = f"SELECT TO_JSON_STRING(row_) FROM ({sql}\n) AS row_"
        _, answer = self._evaluated(text, options, catalog, content)
        return [row.cell[0].string_value for row in answer.table_data.row]

    def _evaluated(self, sql: str, options: Any, catalog: Any, content: dict[str, Any]) -> tuple[Any, Any]:
        request = service.PrepareQueryRequest(
            sql=sql, options=options, simple_catalog=catalog, table_content=content
        )
        prepared = service.PrepareQueryResponse.FromString(self._call("PrepareQuery", request)).prepared
        evaluate = service.EvaluateQueryRequest(prepared_query_id=prepared.prepared_query_id)
        try:
            data = self._call("EvaluateQuery", evaluate)
        finally:
            done = service.UnprepareQueryRequest(prepared_query_id=prepared.prepared_query_id)
            self._call("UnprepareQuery", done)
        return prepared.columns, service.EvaluateQueryResponse.FromString(data).content

    def _options(self, parameters: list[Any] | None) -> Any:
        options = options_pb2.AnalyzerOptionsProto(
            language_options=self._language,
            error_message_mode=public.ERROR_MESSAGE_ONE_LINE,
            default_timezone="UTC",
            allow_undeclared_parameters=parameters is None,
        )
        for name, kind in parameters or ():
            options.query_parameters.add(name=name, type=self._type(kind))
        return options

    def _catalog(self, tables: list[Any]) -> int:
        key = json.dumps(tables)
        if key in self._registered:
            self._registered[key] = found = self._registered.pop(key)
            return found
        catalog = _functions(self._language)
        for name, columns in tables:
            within = catalog
            for part in name[:-1]:
                inner = next((one for one in within.catalog if one.name == part), None)
                within = inner if inner is not None else within.catalog.add(name=part)
            table = within.table.add(name=name[-1], full_name=".".join(name))
            for column, kind in columns:
                table.column.add(name=column, type=self._type(kind), is_writable_column=True)
        answer = self._call("RegisterCatalog", service.RegisterCatalogRequest(simple_catalog=catalog))
        self._registered[key] = service.RegisterResponse.FromString(answer).registered_id
        if len(self._registered) > CATALOGS:
            oldest = self._registered.pop(next(iter(self._registered)))
            self._call("UnregisterCatalog", service.UnregisterRequest(registered_id=oldest))
        return self._registered[key]

    def _type(self, text: str) -> Any:
        """Return the type in *text*, resolved by the analyzer itself."""
        if text not in self._types:
            sql = f"SELECT CAST(NULL AS {text})"
            options = options_pb2.AnalyzerOptionsProto(language_options=self._language)
            request = service.PrepareQueryRequest(
                sql=sql, options=options, simple_catalog=_functions(self._language)
            )
            prepared = service.PrepareQueryResponse.FromString(self._call("PrepareQuery", request)).prepared
            self._types[text] = type_pb2.TypeProto()
            self._types[text].CopyFrom(prepared.columns[0].type)
        return self._types[text]

    def _call(self, method: str, request: Any) -> bytes:
        data = request.SerializeToString()
        allocate, free = self._exports["wasm_malloc"], self._exports["wasm_free"]
        at, size_at = allocate(self._store, max(1, len(data))), allocate(self._store, 4)
        try:
            self._write(at, data)
            answer = self._exports[f"ZetaSqlLocalService_{method}"](self._store, at, len(data), size_at)
            if answer == 0:
                raise Wrong(self._last_error())
            size = int.from_bytes(self._read(size_at, 4), "little")
            found = self._read(answer, size)
            free(self._store, answer)
            return found
        finally:
            free(self._store, at)
            free(self._store, size_at)

    def _last_error(self) -> str:
        size = self._exports["wasm_get_last_error_size"](self._store)
        text = self._read(self._exports["wasm_get_last_error"](self._store), size).decode()
        return re.sub(r"\ACode: \d+, Message: ", "", text)

    def _write(self, at: int, data: bytes) -> None:
        ctypes.memmove(self._address(at), data, len(data))

    def _read(self, at: int, size: int) -> bytes:
        return ctypes.string_at(self._address(at), size)

    def _address(self, at: int) -> int:
        """Return the address in this process of the module's address *at*, an unsigned number."""
        return ctypes.addressof(self._memory.data_ptr().contents) + (at & 0xFFFFFFFF)


def _text(of: Any) -> str:
    """Return a type in BigQuery's syntax."""
    if of.type_kind == type_pb2.TYPE_ARRAY:
        return f"ARRAY<{_text(of.array_type.element_type)}>"
    if of.type_kind == type_pb2.TYPE_STRUCT:
        fields = (f"`{field.field_name}` {_text(field.field_type)}" for field in of.struct_type.field)
        return f"STRUCT<{', '.join(fields)}>"
    name = type_pb2.TypeKind.Name(of.type_kind).removeprefix("TYPE_")
    return {"DOUBLE": "FLOAT64"}.get(name, name)


def _language() -> Any:
    language = options_pb2.LanguageOptionsProto(
        name_resolution_mode=public.NAME_RESOLUTION_DEFAULT, product_mode=public.PRODUCT_EXTERNAL
    )
    names = " ".join(FEATURES.values()).split()
    language.enabled_language_features.extend(
        public.LanguageFeature.Value(f"FEATURE_{name}") for name in names
    )
    language.reserved_keywords.append("QUALIFY")
    return language


def _functions(language: Any) -> Any:
    """Return a catalog with the functions of GoogleSQL and no table."""
    catalog = simple_catalog_pb2.SimpleCatalogProto(name="bigquery")
    catalog.builtin_function_options.language_options.CopyFrom(language)
    return catalog


def main() -> None:
    """Answer requests: `[method, argument, …]` with `{"answer": …}` or `{"error": …}`."""
    googlesql = GoogleSql()
    print("ready", flush=True)
    for line in sys.stdin:
        method, *arguments = json.loads(line)
        try:
            answer = {"answer": getattr(googlesql, method)(*arguments)}
        except Wrong as error:
            answer = {"error": str(error)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
