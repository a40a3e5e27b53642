"""Greenplum as a warehouse of recce_meta."""
