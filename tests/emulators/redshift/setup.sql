-- What Redshift has and PostgreSQL lacks, in a database of the emulator's own. Functions stand in the system
-- schema, where they are found whatever the search path is.

-- A type of its own for SUPER, with jsonb inside: nothing casts to it, or from it, that Redshift would not cast.
CREATE TYPE pg_catalog.super;
CREATE FUNCTION pg_catalog.super_in(cstring) RETURNS super LANGUAGE internal IMMUTABLE STRICT AS 'jsonb_in';
CREATE FUNCTION pg_catalog.super_out(super) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'jsonb_out';
CREATE FUNCTION pg_catalog.super_recv(internal) RETURNS super LANGUAGE internal IMMUTABLE STRICT AS 'jsonb_recv';
CREATE FUNCTION pg_catalog.super_send(super) RETURNS bytea LANGUAGE internal IMMUTABLE STRICT AS 'jsonb_send';
CREATE TYPE pg_catalog.super (
  INPUT = super_in, OUTPUT = super_out, RECEIVE = super_recv, SEND = super_send,
  INTERNALLENGTH = VARIABLE, ALIGNMENT = int4, STORAGE = extended
);
CREATE CAST (super AS jsonb) WITHOUT FUNCTION;
CREATE CAST (jsonb AS super) WITHOUT FUNCTION;
CREATE FUNCTION pg_catalog.super_json(super) RETURNS json LANGUAGE sql IMMUTABLE STRICT
  AS 'SELECT $1::jsonb::json';
CREATE CAST (super AS json) WITH FUNCTION pg_catalog.super_json(super);

-- A cast that does not fit gives NULL: https://docs.aws.amazon.com/redshift/latest/dg/super-configurations.html
CREATE FUNCTION pg_catalog.super_text(super) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS
  $$SELECT CASE WHEN jsonb_typeof($1::jsonb) NOT IN ('object', 'array', 'null') THEN $1::jsonb #>> '{}' END$$;
CREATE FUNCTION pg_catalog.super_varchar(super, int) RETURNS varchar LANGUAGE sql IMMUTABLE STRICT AS
  $$SELECT pg_catalog.super_text($1)::varchar$$;
CREATE FUNCTION pg_catalog.super_number(super) RETURNS numeric LANGUAGE sql IMMUTABLE STRICT AS
  $$SELECT CASE WHEN pg_catalog.super_text($1) ~ '^ *[-+]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][-+]?[0-9]+)? *$' THEN pg_catalog.super_text($1)::numeric END$$;
CREATE FUNCTION pg_catalog.super_bool(super) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT AS
  $$SELECT CASE pg_catalog.super_text($1) WHEN 'true' THEN TRUE WHEN 'false' THEN FALSE END$$;
CREATE FUNCTION pg_catalog.super_int(super) RETURNS int LANGUAGE sql IMMUTABLE STRICT AS
  $$SELECT pg_catalog.super_number($1)::int$$;
CREATE FUNCTION pg_catalog.super_bigint(super) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT AS
  $$SELECT pg_catalog.super_number($1)::bigint$$;
CREATE FUNCTION pg_catalog.super_float(super) RETURNS float8 LANGUAGE sql IMMUTABLE STRICT AS
  $$SELECT pg_catalog.super_number($1)::float8$$;
CREATE CAST (super AS text) WITH FUNCTION pg_catalog.super_text(super);
CREATE CAST (super AS varchar) WITH FUNCTION pg_catalog.super_varchar(super, int);
CREATE CAST (super AS numeric) WITH FUNCTION pg_catalog.super_number(super);
CREATE CAST (super AS boolean) WITH FUNCTION pg_catalog.super_bool(super);
CREATE CAST (super AS int) WITH FUNCTION pg_catalog.super_int(super);
CREATE CAST (super AS bigint) WITH FUNCTION pg_catalog.super_bigint(super);
CREATE CAST (super AS float8) WITH FUNCTION pg_catalog.super_float(super);
CREATE FUNCTION pg_catalog.text_super(text) RETURNS super LANGUAGE sql IMMUTABLE STRICT
  AS 'SELECT to_jsonb($1)::super';
CREATE FUNCTION pg_catalog.varchar_super(varchar) RETURNS super LANGUAGE sql IMMUTABLE STRICT
  AS 'SELECT to_jsonb($1::text)::super';
CREATE CAST (text AS super) WITH FUNCTION pg_catalog.text_super(text) AS ASSIGNMENT;
CREATE CAST (varchar AS super) WITH FUNCTION pg_catalog.varchar_super(varchar) AS ASSIGNMENT;

-- https://docs.aws.amazon.com/redshift/latest/dg/r_COLLATE.html: it ignores case, and accents count.
CREATE COLLATION pg_catalog.case_insensitive
  (provider = icu, locale = 'und-u-ks-level2', deterministic = false);

-- JSON, https://docs.aws.amazon.com/redshift/latest/dg/json-functions.html
CREATE FUNCTION pg_catalog.json_parse(text) RETURNS super LANGUAGE sql IMMUTABLE STRICT AS 'SELECT $1::jsonb::super';
CREATE FUNCTION pg_catalog.json_serialize(super) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE json text := COALESCE($1::jsonb::text, 'null');
BEGIN
  IF octet_length(json) > 65535 THEN
    RAISE EXCEPTION 'JSON_SERIALIZE output exceeds the VARCHAR limit' USING ERRCODE = '22001';
  END IF;
  RETURN json;
END$$;
CREATE FUNCTION pg_catalog.can_json_parse(text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  PERFORM $1::jsonb;
  RETURN $1 IS NOT NULL;
EXCEPTION WHEN others THEN RETURN FALSE;
END$$;
CREATE FUNCTION pg_catalog.json_typeof(super) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS 'SELECT jsonb_typeof($1::jsonb)';
CREATE FUNCTION pg_catalog.is_array(super) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT
  AS $$SELECT jsonb_typeof($1::jsonb) = 'array'$$;
CREATE FUNCTION pg_catalog.is_object(super) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT
  AS $$SELECT jsonb_typeof($1::jsonb) = 'object'$$;
CREATE FUNCTION pg_catalog.is_varchar(super) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT
  AS $$SELECT jsonb_typeof($1::jsonb) = 'string'$$;
CREATE FUNCTION pg_catalog.get_array_length(super) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT
  AS $$SELECT CASE WHEN jsonb_typeof($1::jsonb) = 'array' THEN jsonb_array_length($1::jsonb) END::bigint$$;
CREATE FUNCTION pg_catalog.json_size(super) RETURNS int LANGUAGE sql IMMUTABLE STRICT AS 'SELECT octet_length($1::jsonb::text)';
CREATE FUNCTION pg_catalog.super_array(VARIADIC "any") RETURNS super LANGUAGE internal IMMUTABLE AS 'jsonb_build_array';
CREATE FUNCTION pg_catalog.object(VARIADIC "any") RETURNS super LANGUAGE internal IMMUTABLE AS 'jsonb_build_object';
CREATE FUNCTION pg_catalog.object() RETURNS super LANGUAGE sql IMMUTABLE AS $$SELECT '{}'::jsonb::super$$;
CREATE FUNCTION pg_catalog.super_array() RETURNS super LANGUAGE sql IMMUTABLE AS $$SELECT '[]'::jsonb::super$$;
CREATE FUNCTION pg_catalog.array_concat(super, super) RETURNS super LANGUAGE sql IMMUTABLE STRICT
  AS 'SELECT ($1::jsonb || $2::jsonb)::super';
CREATE FUNCTION pg_catalog.split_to_array(text, text DEFAULT ',') RETURNS super LANGUAGE sql IMMUTABLE STRICT
  AS 'SELECT to_jsonb(string_to_array($1, $2))::super';
CREATE FUNCTION pg_catalog.super_member(super, text) RETURNS super LANGUAGE sql IMMUTABLE STRICT AS
  $$SELECT CASE WHEN jsonb_typeof($1::jsonb -> $2) <> 'null' THEN $1::jsonb -> $2 END::super$$;
CREATE FUNCTION pg_catalog.super_member(super, int) RETURNS super LANGUAGE sql IMMUTABLE STRICT AS
  $$SELECT CASE WHEN $2 >= 0 AND jsonb_typeof($1::jsonb -> $2) <> 'null' THEN $1::jsonb -> $2 END::super$$;
CREATE FUNCTION pg_catalog.super_unnest(super) RETURNS TABLE (item super, place bigint) LANGUAGE sql IMMUTABLE AS $$
  SELECT item::super, place - 1
  FROM jsonb_array_elements(CASE WHEN jsonb_typeof($1::jsonb) = 'array' THEN $1::jsonb END) WITH ORDINALITY AS e(item, place)
$$;

CREATE FUNCTION pg_catalog.super_unpivot(super) RETURNS TABLE (item super, key varchar) LANGUAGE sql IMMUTABLE AS $$
  SELECT value::super, key::varchar
  FROM jsonb_each(CASE WHEN jsonb_typeof($1::jsonb) = 'object' THEN $1::jsonb END) AS e(key, value)
$$;
CREATE FUNCTION pg_catalog.json_serialize_to_varbyte(super) RETURNS bytea LANGUAGE sql IMMUTABLE
  AS $$SELECT convert_to(COALESCE($1::jsonb::text, 'null'), 'UTF8')$$;

-- Hashes: the values are others than Redshift's, but what is equal stays equal, and what differs differs.
CREATE FUNCTION pg_catalog.fnv_hash(text) RETURNS bigint LANGUAGE sql IMMUTABLE
  AS 'SELECT CASE WHEN $1 IS NULL THEN -5808590958014384161 ELSE hashtextextended($1, 0) END';
CREATE FUNCTION pg_catalog.fnv_hash(text, bigint) RETURNS bigint LANGUAGE sql IMMUTABLE
  AS 'SELECT CASE WHEN $1 IS NULL THEN $2 ELSE hashtextextended($1, $2) END';
CREATE FUNCTION pg_catalog.fnv_hash(float8) RETURNS bigint LANGUAGE sql IMMUTABLE
  AS 'SELECT hashtextextended(encode(float8send($1), ''hex''), 0)';
CREATE FUNCTION pg_catalog.fnv_hash(float4) RETURNS bigint LANGUAGE sql IMMUTABLE
  AS 'SELECT hashtextextended(encode(float4send($1), ''hex''), 0)';
CREATE FUNCTION pg_catalog.strtol(text, int) RETURNS bigint LANGUAGE plpgsql IMMUTABLE STRICT AS $$
BEGIN
  IF $2 <> 16 THEN RAISE EXCEPTION 'STRTOL: only base 16 here'; END IF;
  RETURN ('x' || lpad($1, 16, '0'))::bit(64)::bigint;
END$$;
CREATE FUNCTION pg_catalog.to_hex(bytea) RETURNS text LANGUAGE sql IMMUTABLE STRICT AS $$SELECT encode($1, 'hex')$$;
CREATE FUNCTION pg_catalog.from_hex(text) RETURNS bytea LANGUAGE sql IMMUTABLE STRICT AS $$SELECT decode($1, 'hex')$$;
CREATE FUNCTION pg_catalog.to_varbyte(text, text) RETURNS bytea LANGUAGE sql IMMUTABLE STRICT AS
  $$SELECT CASE WHEN $2 ILIKE 'hex' THEN decode($1, 'hex') ELSE convert_to($1, 'UTF8') END$$;

-- Time.
CREATE FUNCTION pg_catalog.getdate() RETURNS timestamp LANGUAGE sql STABLE AS $$SELECT date_trunc('second', now() AT TIME ZONE 'UTC')$$;
CREATE FUNCTION pg_catalog.dateadd(text, bigint, timestamp) RETURNS timestamp LANGUAGE sql IMMUTABLE STRICT
  AS $$SELECT $3 + ($2 || ' ' || $1)::interval$$;
CREATE FUNCTION pg_catalog.datediff(text, timestamp, timestamp) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT AS $$
  SELECT CASE lower($1)
    WHEN 'day' THEN $3::date - $2::date
    WHEN 'millisecond' THEN (extract(epoch FROM $3) - extract(epoch FROM $2)) * 1000
    WHEN 'microsecond' THEN (extract(epoch FROM $3) - extract(epoch FROM $2)) * 1000000
    ELSE extract(epoch FROM date_trunc($1, $3)) - extract(epoch FROM date_trunc($1, $2))
  END::bigint$$;
-- Redshift converts a time with a zone implicitly.
CREATE FUNCTION pg_catalog.datediff(text, timestamptz, timestamptz) RETURNS bigint LANGUAGE sql IMMUTABLE STRICT AS
  $$SELECT pg_catalog.datediff($1, $2 AT TIME ZONE 'UTC', $3 AT TIME ZONE 'UTC')$$;

-- Aggregates.
CREATE FUNCTION pg_catalog.median_of(numeric[]) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$
  SELECT avg(v) FROM (
    SELECT v, row_number() OVER (ORDER BY v) AS place, count(*) OVER () AS total FROM unnest($1) AS u(v) WHERE v IS NOT NULL
  ) AS sorted WHERE place IN ((total + 1) / 2, (total + 2) / 2)$$;
CREATE FUNCTION pg_catalog.median_of(float8[]) RETURNS float8 LANGUAGE sql IMMUTABLE AS
  'SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY v) FROM unnest($1) AS u(v)';
CREATE FUNCTION pg_catalog.median_of(timestamp[]) RETURNS timestamp LANGUAGE sql IMMUTABLE AS $$
  SELECT to_timestamp(avg(extract(epoch FROM v))) AT TIME ZONE 'UTC' FROM (
    SELECT v, row_number() OVER (ORDER BY v) AS place, count(*) OVER () AS total FROM unnest($1) AS u(v) WHERE v IS NOT NULL
  ) AS sorted WHERE place IN ((total + 1) / 2, (total + 2) / 2)$$;
CREATE AGGREGATE pg_catalog.median(numeric) (SFUNC = array_append, STYPE = numeric[], FINALFUNC = median_of, INITCOND = '{}');
CREATE AGGREGATE pg_catalog.median(float8) (SFUNC = array_append, STYPE = float8[], FINALFUNC = median_of, INITCOND = '{}');
CREATE AGGREGATE pg_catalog.median(timestamp) (SFUNC = array_append, STYPE = timestamp[], FINALFUNC = median_of, INITCOND = '{}');
CREATE FUNCTION pg_catalog.append_number(numeric[], smallint) RETURNS numeric[] LANGUAGE sql IMMUTABLE AS 'SELECT array_append($1, $2::numeric)';
CREATE AGGREGATE pg_catalog.median(smallint) (SFUNC = append_number, STYPE = numeric[], FINALFUNC = median_of, INITCOND = '{}');
CREATE FUNCTION pg_catalog.append_number(numeric[], int) RETURNS numeric[] LANGUAGE sql IMMUTABLE AS 'SELECT array_append($1, $2::numeric)';
CREATE AGGREGATE pg_catalog.median(int) (SFUNC = append_number, STYPE = numeric[], FINALFUNC = median_of, INITCOND = '{}');
CREATE FUNCTION pg_catalog.append_number(numeric[], bigint) RETURNS numeric[] LANGUAGE sql IMMUTABLE AS 'SELECT array_append($1, $2::numeric)';
CREATE AGGREGATE pg_catalog.median(bigint) (SFUNC = append_number, STYPE = numeric[], FINALFUNC = median_of, INITCOND = '{}');

-- Texts.
CREATE FUNCTION pg_catalog.len(text) RETURNS int LANGUAGE sql IMMUTABLE STRICT AS 'SELECT length($1)';
CREATE FUNCTION pg_catalog.charindex(text, text) RETURNS int LANGUAGE sql IMMUTABLE STRICT AS 'SELECT strpos($2, $1)';
CREATE FUNCTION pg_catalog.nvl(anyelement, anyelement) RETURNS anyelement LANGUAGE sql IMMUTABLE AS 'SELECT COALESCE($1, $2)';
CREATE FUNCTION pg_catalog.listed(text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT AS $$
BEGIN
  IF octet_length($1) > 65535 THEN
    RAISE EXCEPTION 'Result size exceeds LISTAGG limit' USING ERRCODE = 'XX000';
  END IF;
  RETURN $1;
END$$;

-- The catalog: what Redshift's has beyond PostgreSQL's. Nothing is laid out here, so that all is AUTO, and there is
-- neither a view without binding nor an external table.
SET allow_system_table_mods = on;
CREATE VIEW pg_catalog.pg_class_info AS
  SELECT oid AS reloid, relname, relnamespace, relkind, TIMESTAMP '2020-01-01' AS relcreationtime,
    11 AS releffectivediststyle
  FROM pg_catalog.pg_class;
CREATE VIEW pg_catalog.pg_attribute_with_keys AS
  SELECT attrelid, attname, attnum, attisdropped, FALSE AS attisdistkey, 0 AS attsortkeyord FROM pg_catalog.pg_attribute;
CREATE FUNCTION pg_catalog.pg_get_late_binding_view_cols() RETURNS SETOF record LANGUAGE sql STABLE AS
  $$SELECT NULL::name, NULL::name, NULL::name, NULL::varchar, 0 WHERE FALSE$$;
CREATE VIEW pg_catalog.svv_external_tables AS
  SELECT NULL::varchar AS redshift_database_name, NULL::varchar AS schemaname, NULL::varchar AS tablename,
    NULL::varchar AS location WHERE FALSE;
CREATE VIEW pg_catalog.svv_external_columns AS
  SELECT NULL::varchar AS redshift_database_name, NULL::varchar AS schemaname, NULL::varchar AS tablename,
    NULL::varchar AS columnname, NULL::varchar AS external_type, NULL::int AS columnnum WHERE FALSE;
