import copy
import inspect
import pickle

import pytest

from rtstream_async import errors
from rtstream_async.errors import (
    APIError,
    AuthenticationError,
    HandshakeError,
    InvalidArgumentError,
    LinkClosedError,
    ProtocolError,
    RateLimitError,
    RequestTimeoutError,
    RTStreamError,
    ServerError,
    SlowConsumerError,
    TransportError,
    ValidationError,
    WrongEventLoopError,
    error_for_status,
)

EXAMPLES = [
    RTStreamError("anything"),
    InvalidArgumentError("batch_config['type']", "can't be 'shot'", allowed=["time"]),
    InvalidArgumentError("url", "is empty"),
    WrongEventLoopError(),
    errors.ConnectionClosedError(),
    RateLimitError(
        *["slow down"],
        status=429,
        error_code="E",
        request_id="r",
        retry_after=2.5,
        method="GET",
        path="/x",
        attempts=4,
    ),
    RequestTimeoutError("late", may_have_acted=False, method="POST", path="/y"),
    ProtocolError("HTML", method="GET", path="/z", attempts=2),
    SlowConsumerError(maxsize=8, dropped=3),
    errors.HandlerError({"text": "a cat"}, key="rts-1", attempts=1, problem="OSError: full"),
    errors.HandlerError({"text": "a cat"}, key="rts-1", attempts=4, problem="OSError: full"),
    errors.CheckpointInUseError("cursor.db is used by another program"),
]


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("send", [lambda e: pickle.loads(pickle.dumps(e)), copy.copy])
def test_an_error_comes_whole_out_of_another_process(error, send):
    """A worker's error that can't be unpickled kills the whole pool."""
    came = send(error)
    assert type(came) is type(error)
    assert str(came) == str(error)
    assert vars(came) == vars(error)


def test_a_message_says_what_where_and_how_often():
    """It is all that most people ever see of an error."""
    error = ServerError("boom", status=503, method="GET", path="/rtstream/x")
    assert str(error) == "boom [GET /rtstream/x]"
    error.attempts = 4
    assert str(error) == "boom [GET /rtstream/x] after 4 attempts"
    assert str(ServerError("boom", status=503)) == "boom"


def test_a_wrong_argument_names_what_is_allowed():
    """And is a ValueError, for those who know nothing of this package."""
    error = InvalidArgumentError("overflow", "can't be 'x'", allowed=("a", "b"))
    assert str(error) == "overflow: can't be 'x'; allowed: 'a', 'b'"
    assert isinstance(error, ValueError)
    assert str(InvalidArgumentError("url", "is empty")) == "url: is empty"


@pytest.mark.parametrize(
    ("error", "retryable"),
    [
        (RTStreamError("x"), False),
        (APIError("x"), False),
        (AuthenticationError("x", status=401), False),
        (ValidationError("x", status=400), False),
        (RateLimitError("x", status=429), True),
        (ServerError("x", status=500), True),
        (RequestTimeoutError("x"), True),
        (TransportError("x"), True),
        (ProtocolError("x"), False),
        (HandshakeError("x"), True),
        (LinkClosedError("x"), False),
    ],
)
def test_an_error_says_whether_later_may_be_better(error, retryable):
    """A loop that retries a wrong key for ever gets the account locked."""
    assert error.is_retryable is retryable


def test_builtin_families_hold():
    """`except TimeoutError` and `except RuntimeError` must work as everywhere."""
    assert issubclass(RequestTimeoutError, TimeoutError)
    assert issubclass(WrongEventLoopError, RuntimeError)


def test_every_status_has_a_class():
    """The service may answer with any number."""
    for status in range(400, 600):
        kind = error_for_status(status)
        assert issubclass(kind, APIError)
        assert issubclass(kind, ServerError) is (status >= 500)


def test_the_tree_is_drawn_whole():
    """The drawing is the reference's page on errors."""
    for name in errors.__all__:
        if inspect.isclass(getattr(errors, name)):
            assert name in errors.__doc__
    public = [n for n, v in vars(errors).items() if inspect.isclass(v) and not n.startswith("_")]
    own = [n for n in public if getattr(errors, n).__module__ == errors.__name__]
    assert sorted([*own, "error_for_status"]) == sorted(errors.__all__)


def test_a_checkpoint_in_use_may_be_free_later():
    """Two programs that change places must not need a person."""
    assert errors.CheckpointInUseError("cursor.db is used by another program").is_retryable
    assert not errors.CheckpointError("cursor.db can't be written").is_retryable
