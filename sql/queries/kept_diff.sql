-- Version of the store, the time of its last write, and the stored answer of a diff with the id of the code that computed it.
SELECT store.schema_version, store.written_at, kept.analysis_id, kept.answer
FROM store
LEFT JOIN store_kept_diffs AS kept ON kept.inputs_id = :inputs_id;
