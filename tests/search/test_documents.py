"""The documents in the store: made and deleted with what they stand for, by triggers."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from benchmarks.search_store import sample_index, sample_stream
from rtstream_async.local.store import assets, documents, schema, statements
from rtstream_async.local.store.assets import AssetRow, AssetUtteranceRow, Spoken
from rtstream_async.local.store.documents import VectorRow
from rtstream_async.local.store.rows import SceneRow

MANY = 100


@contextlib.contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        schema.prepare(db)
        yield db


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with opened(tmp_path / "db") as connection:
        statements.add_stream(connection, sample_stream(0, "c"))
        statements.add_index(connection, sample_index(0))
        yield connection


def scene(text: str, second: int = 0, index_id: str = "i0") -> SceneRow:
    return SceneRow(
        index_id=index_id,
        start_us=second * 1_000_000,
        end_us=second * 1_000_000 + 2_500_000,
        text=text,
        engine="e",
        metadata={"second": second},
    )


def video(id_: str = "m-1") -> AssetRow:
    return AssetRow(
        sounds=(),
        id=id_,
        collection_id="c",
        stream_id="s0",
        recording_us=0,
        name="film",
        kind="video",
        file="x.mp4",
        size=1,
        duration=60.0,
        has_sound=True,
        is_whole=True,
        start_us=0,
        end_us=60_000_000,
        pieces=(),
        spoken=Spoken(),
        created_us=0,
    )


def say(db: sqlite3.Connection, *texts: str, id_: str = "m-1") -> None:
    rows = [
        AssetUtteranceRow(
            asset_id=id_,
            start=float(at),
            end=at + 0.5,
            text=text,
            words=(),
            is_estimated=False,
            engine="ears",
        )
        for at, text in enumerate(texts)
    ]
    assets.replace_asset_utterances(db, id_, rows, Spoken(status="done"))


def having(db: sqlite3.Connection, word: str, owners: Sequence[str] = ("i0", "m-1")) -> list[int]:
    """Return the documents that have a word."""
    (numbers,) = documents.find_words(db, [word], owners, most=MANY).numbers
    return sorted(numbers)


def test_a_record_is_a_document(db: sqlite3.Connection) -> None:
    """What is recorded must be found, whoever records it."""
    statements.add_scenes(db, [scene("two parcels", 5), scene("a dog", 7)])
    (row,) = documents.get_documents(db, having(db, "parcel"))
    assert (row.owner, row.text, row.engine) == ("i0", "two parcels", "e")
    assert (row.start, row.end) == (5.0, 7.5)
    assert row.metadata == {"second": 5}
    pending = documents.list_pending(db, MANY)
    assert [each.text for each in pending] == ["a dog", "two parcels"]


def test_a_sentence_of_a_video_is_a_document(db: sqlite3.Connection) -> None:
    """Videos are searched by the same means."""
    assets.add_asset(db, video(), [])
    say(db, "hello there", "the parcel is late")
    (row,) = documents.get_documents(db, having(db, "parcels"))
    assert (row.owner, row.text, row.engine) == ("m-1", "the parcel is late", "ears")
    assert (row.start, row.end) == (1.0, 1.5)
    assert row.metadata == {}


def test_what_is_said_anew_replaces_what_was_known(db: sqlite3.Connection) -> None:
    """A sentence that the better engine did not hear must not be found."""
    assets.add_asset(db, video(), [])
    say(db, "wreck a nice beach")
    say(db, "recognise speech")
    assert having(db, "beach") == []
    assert len(having(db, "speech")) == 1


def test_documents_go_with_their_stream(db: sqlite3.Connection) -> None:
    """A deleted stream must not be found by what it has seen."""
    statements.add_stream(db, sample_stream(1, "c"))
    statements.add_index(db, sample_index(1))
    statements.add_scenes(db, [scene("a dog"), scene("a dog", index_id="i1")])
    statements.delete_stream(db, "s0")
    assert having(db, "dog", ["i0", "i1"]) == [2]
    assert db.execute("SELECT count(*) FROM documents").fetchone()[0] == 1
    found = documents.find_words(db, ["dog"], ["i0", "i1"], most=MANY)
    assert (found.total, found.deletions) == (1, 1)


def test_documents_go_with_their_video(db: sqlite3.Connection) -> None:
    """Likewise."""
    assets.add_asset(db, video(), [])
    say(db, "hello there")
    assert assets.delete_asset(db, "m-1")
    assert having(db, "hello") == []
    assert documents.newest_pending(db) == 0


def test_a_number_is_never_given_twice(db: sqlite3.Connection) -> None:
    """What is in memory under a number must not be taken for another document."""
    statements.add_scenes(db, [scene("a dog")])
    (before,) = having(db, "dog")
    statements.delete_stream(db, "s0")
    statements.add_stream(db, sample_stream(0, "c"))
    statements.add_index(db, sample_index(0))
    statements.add_scenes(db, [scene("a dog")])
    (after,) = having(db, "dog")
    assert after > before


def test_a_record_without_text_is_no_document(db: sqlite3.Connection) -> None:
    """Engines refuse empty texts, and nobody looks for them."""
    statements.add_scenes(db, [scene(""), scene(" \n\t "), scene("a dog")])
    assert [each.text for each in documents.list_pending(db, MANY)] == ["a dog"]


def test_what_an_understanding_says_is_found_in_its_indexes_alone(db: sqlite3.Connection) -> None:
    """It is copied there; each moment would be found twice."""
    db.execute("UPDATE indexes SET family = 'understanding' WHERE id = 'i0'")
    statements.add_scenes(db, [scene("a dog")])
    assert documents.list_pending(db, MANY) == []
    assert documents.list_sources(db, stream_id="s0") == []


def test_words_are_found_whatever_their_case_accents_and_endings(db: sqlite3.Connection) -> None:
    """People write as they like, engines too."""
    statements.add_scenes(db, [scene("Three PARCELS near the Café, test_export.py failed")])
    for word in ("parcel", "Parcels", "cafe", "CAFÉ", "test_export.py", "failing", "near the café"):
        assert having(db, word), word
    for word in ("ports", "parcels cafe", "xparcel"):
        assert not having(db, word), word


@pytest.mark.parametrize("word", ['"', "'", "*", "a*", "(", "NEAR(", "text:", "-dog", "\\", "💥"])
def test_no_word_is_a_query(db: sqlite3.Connection, word: str) -> None:
    """The word index has a language of its own, in which a lone `*` is a mistake."""
    statements.add_scenes(db, [scene("a cat")])
    assert set(having(db, word)) <= {1}


def test_of_a_common_word_the_newest_are_told(db: sqlite3.Connection) -> None:
    """A word that all records have must not take the store for long."""
    statements.add_scenes(db, [scene("a dog", second) for second in range(20)])
    found = documents.find_words(db, ["dog", "cat"], ["i0"], most=5)
    assert found.found == [5, 0]
    assert sorted(found.numbers[0]) == [16, 17, 18, 19, 20]
    assert documents.find_words(db, ["dog"], ["other"], most=5).numbers == [[]]


def test_vectors_of_another_engine_go(db: sqlite3.Connection) -> None:
    """They can't be compared with those of this one."""
    statements.add_scenes(db, [scene("a dog"), scene("a cat")])
    assert documents.adopt_engine(db, "one") is False
    documents.keep_vectors(db, [VectorRow(number=2, owner="i0", vector=b"1234x")])
    assert documents.newest_pending(db) == 1
    assert documents.adopt_engine(db, "one") is False
    assert [row.number for row in documents.list_vectors(db, above=0, limit=MANY)] == [2]
    assert documents.vector_numbers(db) == "2"
    assert documents.adopt_engine(db, "other") is True
    assert documents.newest_pending(db) == 2
    assert documents.vector_numbers(db) == ""


def test_what_is_pending_is_known(db: sqlite3.Connection) -> None:
    """A search waits for what is new, and says what is missing."""
    statements.add_scenes(db, [scene("a dog", second) for second in range(4)])
    documents.keep_vectors(db, [VectorRow(number=3, owner="i0", vector=b"1234x")])
    assert documents.count_pending(db, ["i0"], most=MANY) == 3
    assert documents.count_pending(db, ["i0"], most=2) == 2
    assert documents.count_pending(db, ["other"], most=MANY) == 0
    assert documents.is_any_pending(db, above=0, to=3)
    assert not documents.is_any_pending(db, above=2, to=3)
    assert documents.is_any_pending(db, above=2, to=4)


def test_a_database_of_the_first_version_is_made_searchable(tmp_path: Path) -> None:
    """What was recorded before must be found after an update."""
    with contextlib.closing(sqlite3.connect(tmp_path / "db", isolation_level=None)) as old:
        first, *_ = schema.MIGRATIONS
        old.executescript(f"BEGIN; {first}; PRAGMA user_version = 1; COMMIT;")
        old.execute(
            "INSERT INTO streams VALUES ('s', 'c', 'n', 'u', 'stopped', 0, 30, '[]', 1, 0, NULL,"
            " 0, '{}', NULL, 0, 0)"
        )
        old.execute(
            "INSERT INTO indexes VALUES ('i', 's', 'time', '{}', NULL, 'n', NULL, '{}', NULL,"
            " 'stopped', NULL, NULL, 0, 0)"
        )
        old.executemany(
            "INSERT INTO scenes (index_id, start_us, end_us, text, engine, metadata)"
            " VALUES ('i', ?, ?, ?, 'e', '{}')",
            [
                (1_000_000, 2_000_000, "a dog"),
                (2_000_000, 3_000_000, ""),
                (3, 4, "a dog and a cat"),
            ],
        )
    with opened(tmp_path / "db") as db:
        assert having(db, "dog", ["i"]) == [1, 2]
        assert having(db, "cat", ["i"]) == [2]
        first_row = min(documents.get_documents(db, [1, 2]), key=lambda row: row.number)
        assert (first_row.text, first_row.start, first_row.end) == ("a dog", 1.0, 2.0)
        assert documents.newest_pending(db) == 2
        found = documents.find_words(db, ["dog"], ["i"], most=MANY)
        assert (found.total, found.deletions) == (2, 0)
        db.execute("DELETE FROM streams")
        assert having(db, "dog", ["i"]) == []
    with opened(tmp_path / "db") as db:
        assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
