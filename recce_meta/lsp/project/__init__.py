"""Edited project: its recorded run, the run it is compared with, and the analysis of edits."""
