"""Databases that are connected once: how they are opened and tested, and the jobs that read them."""
