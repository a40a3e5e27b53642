-- hand-written: Databricks keeps its statistics by itself: nothing to do

