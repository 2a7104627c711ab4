"""The tables, and how a database of an older version becomes one of this version."""

from __future__ import annotations

import sqlite3

from rtstream_async.errors import LocalServerError
from rtstream_async.local.store.lateness import make_tables

__all__ = ["MIGRATIONS", "VERSION", "prepare"]

MIGRATIONS = (
    """
    CREATE TABLE settings (
        key TEXT PRIMARY KEY,
        value TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE streams (
        id TEXT PRIMARY KEY,
        collection_id TEXT NOT NULL,
        name TEXT NOT NULL,
        url TEXT NOT NULL,
        status TEXT NOT NULL,
        wanted INTEGER NOT NULL,
        sample_rate INTEGER NOT NULL,
        media_types TEXT NOT NULL,
        store INTEGER NOT NULL,
        enable_transcript INTEGER NOT NULL,
        ws_connection_id TEXT,
        created_us INTEGER NOT NULL,
        ingested TEXT NOT NULL,
        last_error TEXT,
        reconnects INTEGER NOT NULL,
        evicted_segments INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX streams_by_age ON streams (created_us);
    CREATE TABLE segments (
        stream_id TEXT NOT NULL REFERENCES streams (id) ON DELETE CASCADE,
        file TEXT NOT NULL,
        start_us INTEGER NOT NULL,
        end_us INTEGER NOT NULL,
        size INTEGER NOT NULL,
        discontinuity INTEGER NOT NULL,
        PRIMARY KEY (stream_id, file)
    ) WITHOUT ROWID;
    CREATE INDEX segments_by_time ON segments (stream_id, start_us, end_us);
    CREATE INDEX segments_by_age ON segments (start_us);
    CREATE TABLE indexes (
        id TEXT PRIMARY KEY,
        stream_id TEXT NOT NULL REFERENCES streams (id) ON DELETE CASCADE,
        extraction_type TEXT NOT NULL,
        extraction_config TEXT NOT NULL,
        prompt TEXT,
        name TEXT NOT NULL,
        model_name TEXT,
        model_config TEXT NOT NULL,
        ws_connection_id TEXT,
        status TEXT NOT NULL,
        engine TEXT,
        last_error TEXT,
        dropped_windows INTEGER NOT NULL,
        created_us INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX indexes_of_stream ON indexes (stream_id, created_us);
    CREATE TABLE scenes (
        number INTEGER PRIMARY KEY,
        index_id TEXT NOT NULL REFERENCES indexes (id) ON DELETE CASCADE,
        start_us INTEGER NOT NULL,
        end_us INTEGER NOT NULL,
        text TEXT NOT NULL,
        engine TEXT NOT NULL,
        metadata TEXT NOT NULL
    );
    CREATE INDEX scenes_by_time ON scenes (index_id, start_us);
    """,
    """
    ALTER TABLE streams ADD COLUMN recording_from_us INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE streams ADD COLUMN earlier_recording_us INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE streams ADD COLUMN evicted_to_us INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE streams ADD COLUMN exported_asset_id TEXT;
    ALTER TABLE indexes ADD COLUMN family TEXT NOT NULL DEFAULT 'scene_index';
    ALTER TABLE indexes ADD COLUMN source_id TEXT;
    ALTER TABLE indexes ADD COLUMN definition TEXT NOT NULL DEFAULT '{}';
    CREATE INDEX indexes_by_source ON indexes (source_id) WHERE source_id IS NOT NULL;
    CREATE TABLE transcripts (
        stream_id TEXT PRIMARY KEY REFERENCES streams (id) ON DELETE CASCADE,
        asked_engine TEXT,
        engine TEXT,
        language TEXT,
        ws_connection_id TEXT,
        bound_us INTEGER,
        status TEXT NOT NULL,
        last_error TEXT,
        dropped_seconds REAL NOT NULL,
        created_us INTEGER NOT NULL,
        started_us INTEGER NOT NULL,
        stopped_us INTEGER,
        updated_us INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE utterances (
        number INTEGER PRIMARY KEY,
        stream_id TEXT NOT NULL REFERENCES streams (id) ON DELETE CASCADE,
        start_us INTEGER NOT NULL,
        end_us INTEGER NOT NULL,
        text TEXT NOT NULL,
        words TEXT NOT NULL,
        engine TEXT NOT NULL,
        stored_us INTEGER NOT NULL
    );
    CREATE INDEX utterances_by_time ON utterances (stream_id, start_us);
    CREATE TABLE events (
        id TEXT PRIMARY KEY,
        event_prompt TEXT NOT NULL,
        label TEXT NOT NULL,
        created_us INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE alerts (
        id TEXT PRIMARY KEY,
        index_id TEXT NOT NULL REFERENCES indexes (id) ON DELETE CASCADE,
        event_id TEXT NOT NULL REFERENCES events (id) ON DELETE CASCADE,
        callback_url TEXT,
        ws_connection_id TEXT,
        base_url TEXT NOT NULL,
        status TEXT NOT NULL,
        judged_to INTEGER NOT NULL,
        fired INTEGER NOT NULL,
        undecided INTEGER NOT NULL,
        delivered INTEGER NOT NULL,
        undelivered INTEGER NOT NULL,
        last_error TEXT,
        delivery_error TEXT,
        created_us INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX alerts_of_index ON alerts (index_id, created_us);
    CREATE TABLE webhooks (
        number INTEGER PRIMARY KEY,
        alert_id TEXT NOT NULL REFERENCES alerts (id) ON DELETE CASCADE,
        url TEXT NOT NULL,
        target TEXT NOT NULL,
        body TEXT NOT NULL,
        headers TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        created_us INTEGER NOT NULL,
        due_us INTEGER NOT NULL
    );
    CREATE INDEX webhooks_by_target ON webhooks (target, due_us);
    CREATE INDEX webhooks_of_alert ON webhooks (alert_id);
    CREATE TABLE assets (
        id TEXT PRIMARY KEY,
        collection_id TEXT NOT NULL,
        stream_id TEXT NOT NULL,
        recording_us INTEGER NOT NULL,
        name TEXT NOT NULL,
        kind TEXT NOT NULL,
        file TEXT NOT NULL,
        size INTEGER NOT NULL,
        duration REAL NOT NULL,
        has_sound INTEGER NOT NULL,
        is_whole INTEGER NOT NULL,
        start_us INTEGER NOT NULL,
        end_us INTEGER NOT NULL,
        pieces TEXT NOT NULL,
        spoken TEXT NOT NULL,
        created_us INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX assets_of_stream ON assets (stream_id, created_us);
    CREATE TABLE asset_segments (
        asset_id TEXT NOT NULL REFERENCES assets (id) ON DELETE CASCADE,
        file TEXT NOT NULL,
        start_us INTEGER NOT NULL,
        end_us INTEGER NOT NULL,
        size INTEGER NOT NULL,
        discontinuity INTEGER NOT NULL,
        PRIMARY KEY (asset_id, file)
    ) WITHOUT ROWID;
    CREATE INDEX asset_segments_by_time ON asset_segments (asset_id, start_us, end_us);
    CREATE TABLE asset_utterances (
        number INTEGER PRIMARY KEY,
        asset_id TEXT NOT NULL REFERENCES assets (id) ON DELETE CASCADE,
        start REAL NOT NULL,
        end REAL NOT NULL,
        text TEXT NOT NULL,
        words TEXT NOT NULL,
        is_estimated INTEGER NOT NULL,
        engine TEXT NOT NULL
    );
    CREATE INDEX asset_utterances_by_time ON asset_utterances (asset_id, start);
    CREATE TABLE timelines (
        id TEXT PRIMARY KEY,
        items TEXT NOT NULL,
        created_us INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE jobs (
        id TEXT PRIMARY KEY,
        kind TEXT NOT NULL,
        subject TEXT NOT NULL,
        asset_id TEXT,
        details TEXT NOT NULL,
        status TEXT NOT NULL,
        answer TEXT NOT NULL,
        callback_url TEXT,
        created_us INTEGER NOT NULL,
        updated_us INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX jobs_by_subject ON jobs (subject, status);
    CREATE TABLE collections (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        description TEXT NOT NULL,
        is_public INTEGER NOT NULL,
        created_us INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE captures (
        id TEXT PRIMARY KEY,
        collection_id TEXT NOT NULL,
        end_user_id TEXT NOT NULL,
        status TEXT NOT NULL,
        callback_url TEXT,
        ws_connection_id TEXT,
        metadata TEXT NOT NULL,
        channels TEXT NOT NULL,
        exported_video_id TEXT,
        error TEXT,
        created_us INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX captures_of_collection ON captures (collection_id, id);
    CREATE TABLE documents (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        owner TEXT NOT NULL,
        scene INTEGER,
        utterance INTEGER,
        vector BLOB
    );
    CREATE UNIQUE INDEX documents_of_scenes ON documents (scene) WHERE scene IS NOT NULL;
    CREATE UNIQUE INDEX documents_of_utterances ON documents (utterance)
        WHERE utterance IS NOT NULL;
    CREATE INDEX documents_to_embed ON documents (number) WHERE vector IS NULL;
    CREATE VIEW document_contents AS
        SELECT d.number AS number, d.owner AS owner,
            coalesce(s.start_us / 1e6, u.start) AS start,
            coalesce(s.end_us / 1e6, u.end) AS end,
            coalesce(s.text, u.text) AS text,
            coalesce(s.engine, u.engine) AS engine,
            coalesce(s.metadata, '{}') AS metadata
        FROM documents d
        LEFT JOIN scenes s ON s.number = d.scene
        LEFT JOIN asset_utterances u ON u.number = d.utterance;
    CREATE VIRTUAL TABLE document_words USING fts5(
        text, content = '', tokenize = 'porter unicode61'
    );
    CREATE TABLE document_counts (added INTEGER NOT NULL, deleted INTEGER NOT NULL);
    INSERT INTO document_counts VALUES (0, 0);
    CREATE TRIGGER document_added AFTER INSERT ON documents BEGIN
        INSERT INTO document_words (rowid, text)
            SELECT number, text FROM document_contents WHERE number = NEW.number;
        UPDATE document_counts SET added = added + 1;
    END;
    CREATE TRIGGER document_deleted BEFORE DELETE ON documents BEGIN
        INSERT INTO document_words (document_words, rowid, text)
            SELECT 'delete', number, text FROM document_contents WHERE number = OLD.number;
        UPDATE document_counts SET deleted = deleted + 1;
    END;
    CREATE TRIGGER scene_to_document AFTER INSERT ON scenes
        WHEN trim(NEW.text, char(9, 10, 13, 32)) != '' AND EXISTS
            (SELECT 1 FROM indexes WHERE id = NEW.index_id AND family != 'understanding')
    BEGIN
        INSERT INTO documents (owner, scene) VALUES (NEW.index_id, NEW.number);
    END;
    CREATE TRIGGER scene_gone BEFORE DELETE ON scenes BEGIN
        DELETE FROM documents WHERE scene = OLD.number;
    END;
    CREATE TRIGGER utterance_to_document AFTER INSERT ON asset_utterances
        WHEN trim(NEW.text, char(9, 10, 13, 32)) != ''
    BEGIN
        INSERT INTO documents (owner, utterance) VALUES (NEW.asset_id, NEW.number);
    END;
    CREATE TRIGGER utterance_gone BEFORE DELETE ON asset_utterances BEGIN
        DELETE FROM documents WHERE utterance = OLD.number;
    END;
    INSERT INTO documents (owner, scene)
        SELECT index_id, number FROM scenes
        WHERE trim(text, char(9, 10, 13, 32)) != '' ORDER BY number;
    """,
    """
    ALTER TABLE assets ADD COLUMN sounds TEXT NOT NULL DEFAULT '[]';
    """,
)

VERSION = len(MIGRATIONS)
"""The version that this code reads and writes."""


def prepare(db: sqlite3.Connection) -> None:
    """Make an open connection ours: locked against a second server, current, safe from crashes.

    The exclusive lock is SQLite's own, so the death of the process frees it, and a directory on
    any platform needs no lock file.

    Raises:
        sqlite3.OperationalError: Another process (or server) holds the database.
        LocalServerError: A newer version has written it.
    """
    db.row_factory = sqlite3.Row
    for pragma in (
        "locking_mode = EXCLUSIVE",
        "journal_mode = WAL",
        "synchronous = NORMAL",
        "foreign_keys = ON",
    ):
        db.execute(f"PRAGMA {pragma}").fetchall()
    db.execute("BEGIN EXCLUSIVE")
    db.execute("COMMIT")
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version > VERSION:
        raise LocalServerError(
            f"the data directory was written by a newer version (schema {version}, this is"
            f" {VERSION}); update, or choose another directory"
        )
    for number, script in enumerate(MIGRATIONS[version:], start=version + 1):
        db.executescript(f"BEGIN; {script}; PRAGMA user_version = {number}; COMMIT;")
    make_tables(db)
