"""What `compatibility_page.py` says that no table of the tests knows."""

from typing import Final

HEAD: Final = """# Compatibility

What a program for the official `videodb` SDK (0.5.1, the reference here) finds in `rtstream_async`,
method by method; where ours differs on purpose; and what the local server does where the sources
about the service disagree. [Names](api.md) has the arguments.

This page is written by `python tools/compatibility_page.py`, from the tables that the conformance
tests run: 337 recorded exchanges of the official SDK.
"""

PORTING: Final = """## Porting

* Every call is awaited, or iterated with `async for`. Names, order of arguments and defaults are
  the reference's; what is added is keyword-only.
* Values are objects with typed fields, and can be read by key as well: `scene["text"]`.
* Times are Unix seconds (in videos: seconds from the start), whatever the wire says.
* **Search in videos.** The reference's workflow is `index_spoken_words()`, then `search()`, which
  raises when nothing is found. In the official SDK 0.5, `search()` has become *Search v2*, which
  can't read that index. Here `search()` is what the reference says:

| In the official SDK 0.5 | Here |
|---|---|
| `video.legacy_search(query)` | `video.search(query)`, or `legacy_search()` |
| `video.search(query)`, `top_k=`, `mode=`, `session_id=`, ... | `video.search_v2(query, ...)` |
| `video.semantic_search(query)` | the same |
| `collection.search(query, namespace="rtstream")` | the same |
| `collection.legacy_search(query)` | `collection.search(query)`, or `legacy_search()` |
| `collection.search(query)` | `collection.search_v2(query)` |
| `query()`, `aggregate()`, `ask()` | not offered: their requests and answers are not documented |

  Where nothing is found, `search()` raises `NoResultsError` (an `InvalidRequestError`, and a
  `SearchError`); `search_v2()` and `semantic_search()` give an empty result.
* **Errors.** `InvalidRequestError`, `AuthenticationError`, `RequestTimeoutError` and `SearchError`
  are caught by the same names; most have kinds that say more. No connection is a `TransportError`,
  and an error of the service a `ServerError`: neither is an `InvalidRequestError` here.
  [Errors](errors.md) has all.
* **The socket.** `connect_websocket()` gives raw frames as the official one does. `events()` does
  more with less: typed messages, any number of readers, a new socket when one is lost.
"""

METHODS: Final = """*same*: same name, arguments and meaning, awaited. *better*: the same call,
which does what the column says besides. *not offered*: streams, and what is recorded of them, are
what this SDK is about; for the rest, use the official SDK beside it.
"""

OWN_TRANSPORT: Final = frozenset({"get", "post", "patch", "delete", "put"})
"""Of the official connection, which is its own HTTP client."""

_UPLOADED = "about media that is uploaded or made: no streams"
_OF_VIDEOS = (
    "of what is indexed or edited in any video: exported videos have their spoken words here"
)
_ACCOUNT = "about the account, and not about streams"
_UNDOCUMENTED = "Search v2 without documented requests and answers"
_WAITED = "the calls themselves wait for answers that come later, and tell their progress"

NOT_OFFERED: Final = {
    _UPLOADED: {
        "Connection": "create_voice_clone delete_voice_clone download get_meeting"
        " get_transcode_details get_voice_clone list_voice_clones record_meeting transcode upload"
        " youtube_search",
        "Collection": "create_voice_clone delete_image delete_voice_clone dub_video generate_image"
        " generate_music generate_sound_effect generate_text generate_video generate_voice"
        " get_image get_images get_meeting get_voice_clone list_voice_clones record_meeting"
        " search_title upload",
        "Video": "add_subtitle clip download generate_thumbnail get_meeting get_thumbnails"
        " insert_video reframe remove_storage smart_vertical_reframe translate_transcript",
    },
    _OF_VIDEOS: {
        "Video": "delete_index delete_scene_collection delete_scene_index delete_understanding"
        " extract_scenes get_index get_scene_collection get_scene_index get_scenes"
        " get_understanding index index_audio index_scenes index_visuals list_indexes"
        " list_scene_collection list_scene_index list_understandings understand",
    },
    _ACCOUNT: {
        "Connection": "check_usage create_sandbox get_invoices get_sandbox list_sandboxes",
        "Collection": "make_private make_public",
    },
    _UNDOCUMENTED: {
        "Collection": "aggregate ask query",
        "Video": "aggregate ask query",
    },
    _WAITED: {"Connection": "wait_for_job"},
}
"""By reason: class, and its methods."""

_STATE = "the state is read from the service, not assumed; a second time is no error"
_PAGES = "pages by itself when iterated; `await` gives one page with what follows it"
_OWN_SOCKET = "pushes to this connection's own socket unless told otherwise"
_BATCH = (
    _OWN_SOCKET + "; checks `batch_config`, sends no nulls; gives typed output (`output_type=`)"
)
_EMBED = "checks its arguments, and takes the page that the documents show"
_WAITS = "waits without blocking, with `progress=` and `patience=`"
_OPENS = "opens no file of this machine; returns the address where there is no browser"

BETTER: Final = {
    "Connection.connect_websocket": "blocks no other task; the first frame has a deadline; a loss"
    " is told; `events()` does all that and reconnects",
    "Connection.create_capture_session": _OWN_SOCKET,
    "Connection.create_event": "an empty prompt is refused",
    "Connection.generate_client_token": "the text that is returned also has the expiry",
    "Connection.get_async_response": "tells the state beside the data; read by the same keys",
    "Connection.get_collection": "an empty id is refused, and ids are quoted",
    "Connection.get_job_status": "typed; tells how much is done",
    "Connection.list_capture_sessions": _PAGES,
    "Collection.connect_rtstream": _OWN_SOCKET + ", if there is a transcript to push",
    "Collection.create_capture_session": _OWN_SOCKET,
    "Collection.legacy_search": "typed; sends no nulls",
    "Collection.list_capture_sessions": _PAGES,
    "Collection.list_rtstreams": _PAGES + "; only streams of the collection",
    "Collection.search": "without `namespace` it is the reference's; see *Porting*",
    "RTStream.start": _STATE,
    "RTStream.stop": _STATE,
    "RTStream.generate_stream": "returns the manifest as the reference says (`player_url` is kept);"
    " checks the window",
    "RTStream.get_embed_code": _EMBED,
    "RTStream.get_transcript": _PAGES,
    "RTStream.export": _WAITS,
    "RTStream.start_transcript": _OWN_SOCKET,
    "RTStream.index_visuals": _BATCH,
    "RTStream.index_audio": _BATCH,
    "RTStream.index_scenes": _BATCH,
    "RTStream.index_spoken_words": _OWN_SOCKET + "; sends no nulls",
    "RTStream.understand": _OWN_SOCKET,
    "RTStream.search": "an empty query is refused; typed",
    "RTStreamSceneIndex.get_scenes": _PAGES + "; each bound alone, zero included",
    "RTStreamSceneIndex.create_alert": _OWN_SOCKET + "; `callback_url` is optional",
    "RTStreamSceneIndex.start": _STATE,
    "RTStreamSceneIndex.stop": _STATE,
    "RTStreamUnderstanding.get_records": _PAGES,
    "RTStreamUnderstanding.refresh": "what the answer leaves out stays as it was",
    "RTStreamUnderstanding.start": _STATE,
    "RTStreamUnderstanding.stop": _STATE,
    "RTStreamIndex.get_records": _PAGES,
    "RTStreamIndex.create_alert": _OWN_SOCKET + "; `callback_url` is optional",
    "RTStreamIndex.start": _STATE,
    "RTStreamIndex.stop": _STATE,
    "RTStreamShot.generate_stream": "plays the shot to the fraction of a second",
    "RTStreamShot.get_embed_code": _EMBED,
    "RTStreamShot.play": _OPENS,
    "Video.generate_stream": "without a timeline always all of it; checks the parts",
    "Video.get_embed_code": _EMBED,
    "Video.index_spoken_words": _WAITS,
    "Video.get_transcript": _WAITS,
    "Video.generate_transcript": _WAITS,
    "Video.search": "the reference's, which reads what `index_spoken_words()` made; see *Porting*",
    "Video.play": _OPENS,
    "Audio.get_transcript": _WAITS,
    "Audio.generate_transcript": _WAITS,
    "SearchResult.compile": "each shot from its own collection",
    "SearchResult.get_embed_code": _EMBED,
    "SearchResult.play": _OPENS,
    "SearchResponse.compile": "each shot from its own collection",
    "SearchResponse.get_embed_code": _EMBED,
    "SearchResponse.play": _OPENS,
    "Shot.get_embed_code": _EMBED,
    "Shot.play": _OPENS,
    "CaptureSession.export": (
        "`wait=` waits for the end, and `progress=` tells of it; the end is told to this"
        " connection's own socket unless told otherwise"
    ),
    "CaptureSession.get_rtstream": "finds `mic:default` by `mic`; a misspelt category is refused",
    "WebSocketConnection.connect": "the first frame has a deadline; frames before it are kept",
    "WebSocketConnection.receive": "goes on after bytes that are no text; tells a loss",
}
"""`Class.method`: how."""

DIFFERENCES: Final = """Each line is a recorded exchange of the official SDK in which ours differs
from it; all others are the same, request, result and error. *There* is the official SDK.
"""

STATES_HEAD: Final = """States are open text: a word that is not listed stays as it came.
"""

STATES: Final = (
    (
        "stream",
        "`connected`, `stopped`, `error`; and `connecting`, `reconnecting`",
        "`stream.status`",
    ),
    (
        "scene and audio index",
        "`running`, `stopped`; `connected` (documents); `stop_requested`, `stopping`",
        "`index.is_running` is true for `running` and `connected`",
    ),
    (
        "transcript",
        "`running`, `stopped`, `not_configured`; `active`, `inactive`, `stopping`",
        "`get_transcript_status().is_running`",
    ),
    ("alert", "`enabled`, `disabled`", "`alert.status`"),
    (
        "capture session",
        "`created`, `starting`, `active`, `stopping`, `stopped`, `exported`, `failed`",
        "`session.status`",
    ),
    ("export of a session", "`pending`, `exporting`, `exported`, `failed`", "`export_status`"),
    ("understanding and its index", "`running`, `stopped`, `failed`", "`is_running`"),
    (
        "an answer that comes later",
        (
            "`processing`, `in progress`, `pending`, `queued`; `done`, `complete`, `completed`;"
            " `failed`, `error`"
        ),
        "waited for; a result; `AsyncResponseError`, as is any other word",
    ),
)

DISAGREEMENTS_HEAD: Final = """The documents, the SDKs and published output disagree on these. The
client accepts all of them; the local server says one, and some have a switch, which is an option of
`rtstream serve` as well: `--scene-channel`, `--alert-shape`, `--push-understandings`.
"""

_ALERT_SWITCH = "`LocalServer(alert_shape=...)`"

DISAGREEMENTS: Final = (
    (
        "channel of visual indexes",
        "`scene_index`, `visual_index`",
        "`scene_index`",
        "`LocalServer(scene_channel=...)`",
    ),
    ("channel of audio indexes", "`audio_index`, `spoken_index`", "`audio_index`", ""),
    ("frame of an alert", "four shapes", "all their fields in `data`", _ALERT_SWITCH),
    ("times on the socket", "seconds, ms, us, ISO text, `12.5s`", "milliseconds", ""),
    ("times in webhooks", "ISO text, seconds, `12.5s`", "ISO text with an offset", ""),
    ("`event_id` in webhooks", "with and without `event-`", "with it; without it over REST", ""),
    ("body of an alert", "the socket's and the webhook's words", "each in its own", ""),
    ("`channel` of a capture frame", "there or not", "there, and `event`", ""),
    ("id of a capture session", "`capture_session_id`, `session_id`", "`capture_session_id`", ""),
    ("its status", "at the top, in `data`", "both", ""),
    ("its exported video", "`exported_video_id`, `video_id`", "both", ""),
    ("text of a scene record", "`description`, `text`", "both", ""),
    ("`is_final`", "boolean, text", "boolean", ""),
    ("change of an alert", "sends `action`", "takes `action` and `status`", ""),
    ("`callback_url` of an alert", 'optional; sends `""`', 'takes none, null and `""`', ""),
    ("socket of a capture export", "sends `connection_id`", "takes `ws_connection_id`, too", ""),
    ("state of an index", "any word; `is_running`", "`running`, `stopped`", ""),
    ("delay of alerts", "any", "as soon as the record is there", ""),
    ("iterating", "`events()` with a filter; `receive()`", "", ""),
    ("slashes at the end", "sends none", "takes both, and never redirects", ""),
    ("`generate_stream()`", "returns `stream_url`, keeps both", "both", ""),
    (
        "records of understandings",
        "any channel, as `UnknownMessage`",
        "nothing",
        "`LocalServer(push_understandings=True)`: `understanding`, ours",
    ),
    ("addresses of clips", "any", "its own", ""),
)
