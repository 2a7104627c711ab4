"""Recorded rows that are no single call to compare: which test has them."""

_HTTP = "tests/conformance/test_http_answers.py::"
_SOCKETS = "tests/conformance/test_sockets.py::"

TESTED = {
    **dict.fromkeys((305, 306, 307), _HTTP + "test_a_service_that_is_not_there_is_no_refusal"),
    308: _HTTP + "test_an_address_without_a_scheme_is_refused_at_once",
    315: _HTTP + "test_no_default_is_shared_between_calls",
    329: _SOCKETS + "test_what_is_not_connected_says_so",
    330: _SOCKETS + "test_two_readers_lose_nothing",
    331: _SOCKETS + "test_a_message_is_sent_as_json",
    332: _SOCKETS + "test_leaving_closes_and_no_stale_id_is_shown",
    333: _SOCKETS + "test_leaving_closes_and_no_stale_id_is_shown",
    334: _SOCKETS + "test_asking_for_a_socket_blocks_nobody",
    335: "tests/realtime/test_raw.py::test_a_slow_reader_stops_the_sender_and_loses_nothing",
    336: _SOCKETS + "test_the_key_is_not_sent_to_the_socket",
    337: "tests/transport/test_websocket.py::test_a_server_that_says_nothing_is_given_up_in_time",
}
"""By row: the test."""

WHY = {
    **dict.fromkeys(
        (305, 306, 307), "no connection is a `TransportError`, and not the caller's mistake"
    ),
    308: "an address that can't be used is refused by `connect()`",
    315: "nothing is shared between calls: no default can be changed, waits belong to one call",
}
"""Why ours differs, by row."""
