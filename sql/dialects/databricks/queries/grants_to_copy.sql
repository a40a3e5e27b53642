-- hand-written: grants on the schema cover its views

