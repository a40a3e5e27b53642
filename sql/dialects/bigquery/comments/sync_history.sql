CREATE OR REPLACE VIEW recce_metadata.sync_history (
  sync_id OPTIONS (description = 'Id of the exchange'),
  started_at OPTIONS (description = 'Start of the exchange'),
  finished_at OPTIONS (description = 'End of the exchange'),
  direction OPTIONS (description = 'push, pull or sync'),
  peer OPTIONS (description = 'Address of the other store, without credentials'),
  author OPTIONS (description = 'Who made the change; the name is not verified'),
  sent OPTIONS (description = 'Number of objects sent'),
  received OPTIONS (description = 'Number of objects received'),
  conflicts OPTIONS (description = 'Number of conflicts found for the first time'),
  skipped OPTIONS (description = 'Number of objects that were not exchanged, because of a deletion or of retention'),
  failed OPTIONS (description = 'Number of objects that could not be exchanged'),
  status OPTIONS (description = 'success, partial or failed'),
  error OPTIONS (description = 'First error; NULL without errors')
)
OPTIONS (description = 'One row per push, pull or sync of this store with another one')
AS
