import pytest

from rtstream_async.errors import InvalidArgumentError
from rtstream_async.protocol import routes
from rtstream_async.protocol.routes import Route

ALL = {name: value for name, value in vars(routes).items() if isinstance(value, Route)}


def test_ids_are_quoted():
    """Row 14: the official SDK puts them into the path as they are, slashes too."""
    assert routes.STREAM.path(stream_id="a/b c?x=1#y") == "/rtstream/a%2Fb%20c%3Fx%3D1%23y"


def test_an_empty_id_is_refused():
    """Row 13: the path would be that of the list."""
    with pytest.raises(InvalidArgumentError, match="collection_id"):
        routes.COLLECTION.path(collection_id="")


ASKS = {"semantic-search", "search", "export", "stream", "compile", "v2", "generate_url", "stop"}
"""POSTs that change nothing, or nothing more when they come again."""


@pytest.mark.parametrize("name", ALL)
def test_only_a_post_that_makes_something_is_not_repeatable(name):
    """To send such a one twice makes two; to send no other twice would lose answers for nothing."""
    route = ALL[name]
    makes = route.method == "POST" and route.template.rpartition("/")[2] not in ASKS
    assert route.repeatable is not makes
    assert not route.template.endswith("/")
