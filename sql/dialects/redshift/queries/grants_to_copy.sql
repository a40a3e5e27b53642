-- hand-written: default privileges cover the new views

