"""The local Flyte's own sign-in. Loaded only when it is asked for."""
