CREATE OR REPLACE VIEW recce_metadata.sync_history (
  sync_id COMMENT 'Id of the exchange',
  started_at COMMENT 'Start of the exchange',
  finished_at COMMENT 'End of the exchange',
  direction COMMENT 'push, pull or sync',
  peer COMMENT 'Address of the other store, without credentials',
  author COMMENT 'Who made the change; the name is not verified',
  sent COMMENT 'Number of objects sent',
  received COMMENT 'Number of objects received',
  conflicts COMMENT 'Number of conflicts found for the first time',
  skipped COMMENT 'Number of objects that were not exchanged, because of a deletion or of retention',
  failed COMMENT 'Number of objects that could not be exchanged',
  status COMMENT 'success, partial or failed',
  error COMMENT 'First error; NULL without errors'
)
COMMENT 'One row per push, pull or sync of this store with another one'
AS
