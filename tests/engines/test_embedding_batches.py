"""How many texts are embedded at a time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rtstream_async.local.engines import embedding_process

TEXTS = st.lists(st.text(alphabet="ab ", max_size=40).map(lambda text: text * 100), min_size=1)


@given(TEXTS)
def test_each_text_comes_once_and_in_its_place(texts):
    """A vector that belongs to another text finds the wrong scene."""
    batches = list(embedding_process._batches(texts))
    assert all(batches)
    assert [text for batch in batches for text in batch] == texts


@given(TEXTS)
def test_a_batch_is_about_a_second_of_work(texts):
    """An engine that is busy for a minute is taken for stuck, and a question waits for it."""
    for batch in embedding_process._batches(texts):
        assert len(batch) == 1 or sum(max(100, len(text)) for text in batch) <= 2000


def test_short_texts_go_together():
    """One request for each of a thousand scenes would take longer than they do."""
    assert [len(batch) for batch in embedding_process._batches(["red car"] * 50)] == [20, 20, 10]
