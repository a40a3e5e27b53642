"""Tables of results, for CSV, notebooks and data frames. `results` has what results call of it."""
