-- hand-written: one of two transactions that create the same object fails and is retried

