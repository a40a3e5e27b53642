"""The verbs of recce_meta: each wires the layers together and returns values, never prints."""
