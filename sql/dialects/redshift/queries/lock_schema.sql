-- hand-written: one of two transactions that create the same thing fails and is tried again

