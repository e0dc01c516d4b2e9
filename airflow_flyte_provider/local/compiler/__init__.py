"""Turns a registered workflow into the checked, connected graph that the engine walks."""
