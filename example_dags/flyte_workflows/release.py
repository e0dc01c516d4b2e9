"""The Flyte side of `flyte_signals.py`: a workflow that asks for a title, then for leave to publish."""

from datetime import timedelta

from flytekit import approve, task, wait_for_input, workflow


@task
def write(title: str) -> str:
    """Write what is to be published."""
    return f"# {title}"


@task
def publish(text: str) -> str:
    """Publish it."""
    print(text)
    return text


@workflow
def release() -> str:
    """Publish a text with a title that somebody gives, once somebody has approved it."""
    title = wait_for_input("title", timeout=timedelta(hours=1), expected_type=str)
    return publish(text=approve(write(title=title), "publish", timeout=timedelta(hours=1)))
