"""Notifications of events of a connection: their formats, addresses and mail."""
