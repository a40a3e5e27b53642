-- hand-written: every CREATE commits itself, and is a no-op if the object exists

