"""Signing in to Flyte: where tokens come from, how long they are kept, and which calls carry them."""
