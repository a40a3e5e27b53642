-- hand-written: BigQuery keeps its statistics by itself: nothing to do

