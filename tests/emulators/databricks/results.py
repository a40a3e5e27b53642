"""Conversion of Spark's rows to Databricks' format: Arrow batches, and columns with type names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa
from databricks.sql.thrift_api.TCLIService import ttypes
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

_TYPES: Sequence[tuple[type[T.DataType], int]] = (
    (T.BooleanType, ttypes.TTypeId.BOOLEAN_TYPE),
    (T.ByteType, ttypes.TTypeId.TINYINT_TYPE),
    (T.ShortType, ttypes.TTypeId.SMALLINT_TYPE),
    (T.IntegerType, ttypes.TTypeId.INT_TYPE),
    (T.LongType, ttypes.TTypeId.BIGINT_TYPE),
    (T.FloatType, ttypes.TTypeId.FLOAT_TYPE),
    (T.DoubleType, ttypes.TTypeId.DOUBLE_TYPE),
    (T.DecimalType, ttypes.TTypeId.DECIMAL_TYPE),
    (T.DateType, ttypes.TTypeId.DATE_TYPE),
    (T.TimestampType, ttypes.TTypeId.TIMESTAMP_TYPE),
    (T.TimestampNTZType, ttypes.TTypeId.TIMESTAMP_TYPE),
    (T.BinaryType, ttypes.TTypeId.BINARY_TYPE),
    (T.ArrayType, ttypes.TTypeId.ARRAY_TYPE),
    (T.MapType, ttypes.TTypeId.MAP_TYPE),
    (T.StructType, ttypes.TTypeId.STRUCT_TYPE),
    (T.NullType, ttypes.TTypeId.NULL_TYPE),
)


class Result:
    """All rows of one statement, and the current position."""

    def __init__(self, fields: Sequence[T.StructField], table: pa.Table, modified: int | None = None) -> None:
        self.modified = modified
        self.columns = ttypes.TTableSchema(
            columns=[_described(place, field) for place, field in enumerate(fields)]
        )
        self.schema = table.schema.serialize().to_pybytes()
        self._batches = table.to_batches(max_chunksize=10_000)
        self._sent = self._rows_sent = 0

    @classmethod
    def of(cls, frame: DataFrame) -> Result:
        """Return the rows of *frame*."""
        return cls(frame.schema.fields, _arrow(frame))

    @classmethod
    def empty(cls) -> Result:
        """Return the result of a statement without rows. Spark is not asked, which would take longer."""
        return cls((), pa.table({}))

    @classmethod
    def counted(cls, rows: int) -> Result:
        """Return the result of a statement that changed a number of rows, without asking Spark."""
        field = T.StructField("num_affected_rows", T.LongType(), nullable=False)
        table = pa.table({field.name: pa.array([rows], pa.int64())})
        return cls((field,), _described_as([field], table), rows)

    def take(self, most: int) -> tuple[int, list[Any], bool]:
        """Return about *most* of the remaining rows: their start, the batches, and True if there are more."""
        start, taken = self._rows_sent, []
        while self._sent < len(self._batches) and self._rows_sent - start < most:
            batch = self._batches[self._sent]
            taken.append(
                ttypes.TSparkArrowBatch(batch=batch.serialize().to_pybytes(), rowCount=batch.num_rows)
            )
            self._sent += 1
            self._rows_sent += batch.num_rows
        return start, taken, self._sent < len(self._batches)


def bound(parameters: Iterable[Any]) -> dict[str, Any]:
    """Return Thrift's parameters as literals for Spark, by name."""
    return {parameter.name: _literal(parameter) for parameter in parameters}


def _literal(parameter: Any) -> Column:
    if parameter.type == "VOID" or parameter.value is None:
        return F.lit(None)
    text = parameter.value.stringValue
    if parameter.type == "STRING":
        return F.lit(text)
    if parameter.type == "BOOLEAN":
        return F.lit(text.lower() == "true")
    if parameter.type in ("DOUBLE", "FLOAT"):
        return F.lit(float(text))
    if parameter.type == "INT":
        return F.expr(text)
    if parameter.type in ("BIGINT", "SMALLINT", "TINYINT"):
        return F.expr(text + {"BIGINT": "L", "SMALLINT": "S", "TINYINT": "Y"}[parameter.type])
    if parameter.type.startswith("DECIMAL"):
        return F.expr(text + "BD")
    return F.expr(f"{parameter.type} '{text}'")  # DATE, TIMESTAMP, TIMESTAMP_NTZ: typed literals


def _described(place: int, field: T.StructField) -> Any:
    kind = next((id for known, id in _TYPES if type(field.dataType) is known), ttypes.TTypeId.STRING_TYPE)
    qualifiers = None
    if isinstance(field.dataType, T.DecimalType):
        qualifiers = ttypes.TTypeQualifiers(
            qualifiers={
                "precision": ttypes.TTypeQualifierValue(i32Value=field.dataType.precision),
                "scale": ttypes.TTypeQualifierValue(i32Value=field.dataType.scale),
            }
        )
    entry = ttypes.TPrimitiveTypeEntry(type=kind, typeQualifiers=qualifiers)
    return ttypes.TColumnDesc(
        columnName=field.name,
        typeDesc=ttypes.TTypeDesc(types=[ttypes.TTypeEntry(primitiveEntry=entry)]),
        position=place + 1,
        comment="",
    )


_CONVERTED = (T.VariantType, T.DayTimeIntervalType, T.YearMonthIntervalType, T.CalendarIntervalType)


def _arrow(frame: DataFrame) -> pa.Table:
    """Return the rows as Arrow, with unchanged column names, even if two are equal."""
    fields = frame.schema.fields
    if not fields:
        return pa.table({})
    is_sent_as_it_is = len({field.name for field in fields}) == len(fields)
    if is_sent_as_it_is and not any(isinstance(field.dataType, _CONVERTED) for field in fields):
        return _described_as(fields, frame.toArrow())
    numbered = frame.toDF(*(f"c{place}" for place in range(len(fields))))
    converted = numbered.select(
        *(_sendable(F.col(f"c{place}"), field.dataType) for place, field in enumerate(fields))
    )
    return _described_as(fields, converted.toArrow())


def _described_as(fields: Sequence[T.StructField], table: pa.Table) -> pa.Table:
    named = [
        pa.field(field.name, column.type, metadata={"Spark:DataType:SqlName": _sql_name(field.dataType)})
        for field, column in zip(fields, table.columns, strict=True)
    ]
    return pa.Table.from_arrays(table.columns, schema=pa.schema(named))


def _sendable(column: Column, kind: T.DataType) -> Column:
    """Convert variants to JSON text, and intervals to text."""
    if isinstance(kind, T.VariantType):
        return F.to_json(column)
    if isinstance(kind, _CONVERTED):
        return column.cast("string")
    return column


def _sql_name(kind: T.DataType) -> str:
    return kind.simpleString().upper()
