"""The same waiting, deferred to the triggerer."""
