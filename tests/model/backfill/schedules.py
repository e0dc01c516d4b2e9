"""Random schedules."""

from datetime import datetime

from hypothesis import strategies as st


def field(low, high, names=()):
    """Return a strategy for one field of a cron expression."""
    number = st.integers(low, high)
    spans = st.tuples(number, number).map(sorted)
    one = st.one_of(
        number.map(str),
        spans.map(lambda ends: f"{ends[0]}-{ends[1]}"),
        st.tuples(spans, st.integers(1, 9)).map(lambda each: f"{each[0][0]}-{each[0][1]}/{each[1]}"),
        st.integers(1, high).map(lambda step: f"*/{step}"),
        *([st.sampled_from(names)] if names else []),
    )
    return st.one_of(st.just("*"), one, st.lists(one, min_size=2, max_size=3).map(",".join))


DAYS = st.one_of(field(1, 31), st.sampled_from(["l", "1,l", "15,l", "?", "15w"]))
WEEKDAYS = st.one_of(
    field(0, 7, ("mon", "tue-thu", "fri-mon")),
    st.tuples(st.integers(0, 6), st.integers(1, 5)).map(lambda each: f"{each[0]}#{each[1]}"),
    st.integers(0, 6).map("l{}".format),
)
SECONDS = st.one_of(st.just(""), field(0, 59).map(" {}".format))
CRONS = st.one_of(
    st.tuples(field(0, 59), field(0, 23), DAYS, field(1, 12, ("jan", "feb-apr")), WEEKDAYS, SECONDS).map(
        lambda parts: " ".join(parts[:5]) + parts[5]
    ),
    st.sampled_from(["@hourly", "@daily", "@weekly", "@monthly", "@yearly", "@midnight"]),
)
STARTS = st.datetimes(datetime(1999, 1, 1), datetime(2101, 1, 1))
