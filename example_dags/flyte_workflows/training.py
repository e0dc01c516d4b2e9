"""The Flyte side of `flyte_approval.py`: a model is trained, and deployed once somebody has approved it."""

from datetime import timedelta

from flytekit import approve, task, workflow


@task
def train(epochs: int) -> dict[str, float]:
    """Train a model and say how good it has become."""
    return {"accuracy": round(1 - 0.5 / (epochs + 1), 3), "loss": round(0.8 / (epochs + 1), 3)}


@task
def deploy(scores: dict[str, float]) -> str:
    """Put the model in the place of the one before."""
    return f"deployed with an accuracy of {scores['accuracy']:.1%}"


@workflow
def train_and_deploy(epochs: int = 4) -> str:
    """Stop between both until the scores are approved, for a week at most."""
    approved = approve(train(epochs=epochs), "deploy-model", timeout=timedelta(days=7))
    return deploy(scores=approved)
