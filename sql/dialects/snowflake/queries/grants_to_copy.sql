-- hand-written: grants on future views cover the new views

