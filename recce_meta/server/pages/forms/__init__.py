"""Forms with which users of the pages start data diffs and queries."""
