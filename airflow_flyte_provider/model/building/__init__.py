"""Workflows and launch plans put together in Python from what is registered, and the spec they come to."""
