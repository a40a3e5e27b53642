-- hand-written: Snowflake keeps its statistics by itself: nothing to do

