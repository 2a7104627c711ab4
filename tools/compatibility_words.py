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

* Every call is awaited, or iterated with `async for`; the few that are not say so below. Names and
  order of arguments are the reference's, and so are defaults, but that `{}` and `[]` are `None`
  here, for which nothing is sent. What is added is keyword-only. Each exception is in its row.
* Values are objects with typed fields. They are read by key as well (`scene["text"]`, `get()`,
  `in`), but are no dicts: `dict(scene)` makes one, for `json.dumps()` and the like. They can't be
  changed, and what is a list in the official SDK may be a tuple.
* A page of a list is read by place and by key: `streams[0]`, `result["scenes"]`.
* What an answer does not tell is `None`, and not a default: `is_public`, `store`, `output`. An
  answer of nothing, where something was asked for, is a `ProtocolError`, and not `None`.
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
  `SearchError`); `search_v2()` and `semantic_search()` give an empty result. What the service warns
  of is in `warnings`, and nothing is shown by itself.
* **Errors.** `InvalidRequestError`, `AuthenticationError`, `RequestTimeoutError` and `SearchError`
  are caught by the same names; most have kinds that say more. `VideodbError`, which all of them
  are, is `RTStreamError`; in place of `response`, refusals of the service have `status`,
  `error_code`, `message` and `request_id`. No connection is a `TransportError`, an error of the
  service a `ServerError`, and an answer that comes later and fails an `AsyncResponseError`: none of
  them is an `InvalidRequestError` here. An argument that can't be used is an
  `InvalidArgumentError`, which is a `ValueError`, also where the official SDK raises `SearchError`
  or `NotImplementedError`, or sends it: an empty id, for one.
  [Errors](errors.md) has all.
* **The socket.** `connect_websocket()` gives raw frames as the official one does. What is not
  connected, or no longer, raises `LinkClosedError`: in the official SDK `ConnectionError`, and
  `ConnectionClosedError` of the library `websockets`. `connection_id` is `None` after the end.
  `events()` does more with less: typed messages, any number of readers, a new socket when one is
  lost.
"""

METHODS: Final = """*same*: same name, arguments and meaning, awaited unless the column says
otherwise. *better*: the same call, which does what the column says besides, or in place of it. *not
offered*: streams, and what is recorded of them, are what this SDK is about; for the rest, use the
official SDK beside it. Attributes are the same but for those below a table.
"""

_UPLOADED = "about media that is uploaded or made: no streams"
_OF_VIDEOS = (
    "of what is indexed or edited in any video: exported videos have their spoken words here"
)
_ACCOUNT = "about the account, and not about streams"
_UNDOCUMENTED = "Search v2 without documented requests and answers"
_OWN_TRANSPORT = "of its HTTP client: no calls to paths of your own"
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
    _OWN_TRANSPORT: {"Connection": "delete get patch post put"},
}
"""By reason: class, and its methods."""

_STATE = "the state is read from the service, not assumed; a second time is no error"
_PAGES = "pages by itself when iterated; `await` gives one page with what follows it"
_OWN_SOCKET = "pushes to this connection's own socket unless told otherwise"
_BATCH = (
    _OWN_SOCKET + "; checks `batch_config`, sends no nulls; gives typed output (`output_type=`)"
)
_EMBED = (
    "escapes what it is given, and takes any player's page, as the documents show; the official one"
    " takes `/watch?v=` alone"
)
_WAITS = "waits without blocking, with `progress=` and `patience=`"
_OPENS = (
    "opens its own player's page where that is known, else the official one's; never anything but"
    " a web page; returns the address, in a notebook as well"
)
_WRITES_DOWN = "; returns the text; the official one returns a `dict` that says so"
_NAMED = (
    "its arguments have names where the official one has `*args` and `**kwargs`; `config` and all"
    " else of Search v2 is `search_v2()`'s"
)
_ASKS = "; asks the service each time"
_REFRESH = "what the answer leaves out stays as it was"
_NEW_NAME = "an empty name is refused"

BETTER: Final = {
    "Connection.connect_websocket": "blocks no other task; see `WebSocketConnection`;"
    " `events()` does all that and reconnects",
    "Connection.create_collection": _NEW_NAME,
    "Connection.create_capture_session": _OWN_SOCKET + "; an empty `end_user_id` is refused",
    "Connection.create_event": "an empty prompt or label is refused",
    "Connection.generate_client_token": "the text that is returned also has the expiry",
    "Connection.get_async_response": "tells the state beside the data; read by the same keys",
    "Connection.get_capture_session": "`collection_id` is what the answer says",
    "Connection.get_job_status": "typed; tells how much is done",
    "Connection.list_capture_sessions": _PAGES,
    "Collection.connect_rtstream": _OWN_SOCKET + ", if there is a transcript to push",
    "Collection.create_capture_session": _OWN_SOCKET + "; an empty `end_user_id` is refused",
    "Collection.legacy_search": "the same as `search()`; sends no nulls; `search_type` and"
    " `index_type` are `None`, which means the same",
    "Collection.list_capture_sessions": _PAGES,
    "Collection.list_rtstreams": _PAGES + "; only streams of the collection",
    "Collection.search": "without `namespace` it is the reference's, see *Porting*; " + _NAMED,
    "RTStream.start": _STATE,
    "RTStream.stop": _STATE,
    "RTStream.generate_stream": "returns the manifest, as the reference says; the official one"
    " returns the page, which is in `player_url` here; checks the window and `player_config`",
    "RTStream.get_embed_code": _EMBED,
    "RTStream.index": "a `source` that is no description of an output is refused",
    "RTStream.get_transcript": _PAGES,
    "RTStream.export": _WAITS,
    "RTStream.start_transcript": _OWN_SOCKET,
    "RTStream.index_visuals": _BATCH,
    "RTStream.index_audio": _BATCH,
    "RTStream.index_scenes": _BATCH,
    "RTStream.index_spoken_words": _OWN_SOCKET + "; sends no nulls",
    "RTStream.understand": _OWN_SOCKET + "; refuses what is no list of analyzers",
    "RTStream.search": "an empty query is refused; the result is a sequence of its shots as well",
    "RTStreamSceneIndex.get_scenes": _PAGES + "; each bound alone, zero included",
    "RTStreamSceneIndex.create_alert": _OWN_SOCKET + "; `callback_url` is optional",
    "RTStreamSceneIndex.start": _STATE,
    "RTStreamSceneIndex.stop": _STATE,
    "RTStreamUnderstanding.get_records": _PAGES + "; `start` and `end` may be left out",
    "RTStreamUnderstanding.refresh": _REFRESH,
    "RTStreamUnderstanding.start": _STATE,
    "RTStreamUnderstanding.stop": _STATE,
    "RTStreamIndex.get_records": _PAGES,
    "RTStreamIndex.refresh": _REFRESH,
    "RTStreamIndex.create_alert": _OWN_SOCKET + "; `callback_url` is optional",
    "RTStreamIndex.start": _STATE,
    "RTStreamIndex.stop": _STATE,
    "RTStreamShot.generate_stream": "plays the shot to the fraction of a second",
    "RTStreamExportResult.get_embed_code": _EMBED,
    "RTStreamShot.get_embed_code": _EMBED,
    "RTStreamShot.play": _OPENS,
    "Video.generate_stream": "without a timeline always all of it; checks the parts",
    "Video.get_embed_code": _EMBED,
    "Video.index_spoken_words": _WAITS,
    "Video.get_transcript": _WAITS,
    "Video.get_transcript_text": _WAITS,
    "Video.generate_transcript": _WAITS + _WRITES_DOWN,
    "Video.search": "the reference's, which reads what `index_spoken_words()` made, see *Porting*; "
    + _NAMED,
    "Video.legacy_search": "the same as `search()`; `scene_index_id=` and `index_id=` are all that"
    " it takes of `**kwargs`",
    "Video.play": _OPENS + "; makes the stream if there is none yet",
    "Video.update": _NEW_NAME + "; the name is read from the service",
    "Audio.get_transcript": _WAITS + _ASKS,
    "Audio.get_transcript_text": _WAITS + _ASKS,
    "Audio.generate_transcript": _WAITS + _WRITES_DOWN,
    "SearchResult.compile": "each shot from its own collection",
    "SearchResult.get_embed_code": _EMBED,
    "SearchResult.play": _OPENS,
    "SearchResponse.get_shots": "the response itself is a sequence of these too, so an answer that"
    " has none is empty; the official one iterates over `results` then",
    "SearchResponse.compile": "each shot from its own collection",
    "SearchResponse.get_embed_code": _EMBED,
    "SearchResponse.play": _OPENS,
    "Shot.get_embed_code": _EMBED,
    "Shot.play": _OPENS,
    "CaptureSession.export": (
        "`wait=` waits for the end, and `progress=` tells of it; the end is told to this"
        " connection's own socket unless told otherwise"
    ),
    "CaptureSession.get_rtstream": "finds `mic:default` by `mic`, and a stream by its name; asks"
    " the service if no streams are known yet; a misspelt category is refused",
    "WebSocketConnection.connect": "the first frame has a deadline; frames before it are kept",
    "WebSocketConnection.receive": "goes on after bytes that are no text; a loss is a"
    " `LinkClosedError`",
    "WebSocketConnection.send": "an error of its own where nothing is connected: `LinkClosedError`",
}
"""`Class.method`: how."""

WITHOUT: Final = {
    "Collection.legacy_search": (
        "algorithm stitch rerank rerank_params _skip_warning",
        "search_type index_type",
    ),
    "Collection.search": ("args config kwargs", ""),
    "Video.search": ("args config kwargs", ""),
    "Video.legacy_search": ("kwargs", ""),
    "RTStreamSceneIndex.create_alert": ("", "callback_url"),
    "RTStreamIndex.create_alert": ("", "callback_url"),
    "RTStreamUnderstanding.get_records": ("", "start end"),
}
"""`Class.method`: the arguments of the official one that ours has not, and those whose defaults are
others, which a row names; besides `{}`, `[]` and one's own socket."""

_CLIENT = "of its HTTP client; see `retries=`, and `progress=` and `patience=` of what waits"
_SECRET = "kept to ourselves: whoever has it has the account"

ATTRIBUTES: Final = {
    "Connection": {
        "api_key": _SECRET,
        "session_token": _SECRET,
        "base_url": "the settings are `connect()`'s",
        "collection_id": "no collection is the current one; each call names its own",
        "session": _CLIENT,
        "version": _CLIENT,
        "show_progress": _CLIENT,
        "progress_bar": _CLIENT,
        "max_poll_time": _CLIENT,
        "poll_interval": _CLIENT,
    },
    "Video": {"scenes": "scenes of videos are not offered"},
    "WebSocketConnection": {"url": "kept to ourselves: it holds a credential"},
}
"""By class: what the official object has and ours has not, and why."""

MODULE_HEAD: Final = """What `videodb` itself has, and its place in `rtstream_async`. Constants are
plain text here: what they stand for is taken, and so are the official ones.
"""

_WORD = "its text: "

MODULE: Final = {
    "connect": "same; `max_retries=` is `retries=`; `log_level=` is keyword-only, and leaves the"
    " logger alone unless it is given; `base_url` is `VIDEO_DB_BASE_URL` before it is the public"
    " one",
    "CaptureSession SearchResult SearchResponse WebSocketConnection": "same, see below",
    "AuthenticationError InvalidRequestError SearchError": "same, see *Porting*",
    "VideodbError": "`RTStreamError`",
    "CaptureClient": "not offered: it captures on a user's machine; `CaptureSession.start()` is the"
    " service's side of it",
    "Channel AudioChannel VideoChannel": "`CaptureChannel`, whose `type` is `audio` or `video`;"
    " `Channel` is a channel of messages here",
    "Channels ChannelList": "not offered: of `CaptureClient`",
    "IndexType": _WORD + "`spoken_word`, `scene`",
    "SearchType": _WORD + "`semantic`, `keyword`",
    "SceneExtractionType": _WORD + "`shot`, `time`, `transcript`",
    "Segmenter": _WORD + "`time`, `word`, `sentence`",
    "SegmentationType": _WORD + "`sentence`, `llm`",
    "MediaType": _WORD + "`video`, `audio`",
    "RTStreamChannelType": _WORD + "`mic`, `screen`, `system_audio`",
    "IndexCapability": _WORD + "`semantic`, `query`, `aggregate`",
    "play_stream": "`play()` of what is to be played",
    "build_iframe_embed_code": "`get_embed_code()` of what is to be embedded",
    "GenerationJob Sandbox VoiceClone SubtitleAlignment SubtitleBorderStyle SubtitleStyle TextStyle"
    " TranscodeMode ResizeMode VideoConfig AudioConfig ReframeMode SandboxTier SandboxStatus": (
        "not offered, as the methods that they are for"
    ),
    "Understanding UnderstandingAnalyzer AskResponse FieldGroup": (
        "not offered: of videos; streams have `RTStreamUnderstanding`"
    ),
}
"""By names of the official module: what there is here."""

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
