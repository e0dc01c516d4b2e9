"""Workflows put together in Python from what is registered: promises, bindings, nodes, and the spec they come to."""
