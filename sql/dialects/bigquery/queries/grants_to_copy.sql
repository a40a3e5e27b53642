-- hand-written: grants on the dataset cover its views

