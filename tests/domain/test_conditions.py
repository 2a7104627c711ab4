import pytest

from rtstream_async.local.domain.conditions import fits, read_conditions

METADATA = {
    "weather": "rain",
    "people": 2,
    "share": 0.5,
    "indoors": False,
    "words": ["EXIT", "Gate B42"],
    "objects": {"person": 2, "car": {"red": 1}},
    "nothing": None,
}


@pytest.mark.parametrize(
    ("filter_", "holds"),
    [
        (None, True),
        ([], True),
        ([{"weather": "rain"}], True),
        ([{"weather": "Rain"}], False),
        ([{"metadata.weather": "rain"}], True),
        ([{"weather": ["snow", "rain"]}], True),
        ([{"weather": ["snow", "fog"]}], False),
        ([{"weather": "rain"}, {"people": 2}], True),
        ([{"weather": "rain"}, {"people": 3}], False),
        ([{"weather": "rain", "people": 3}], False),
        ([{"people": 2.0}], True),
        ([{"people": "2"}], False),
        ([{"share": 0.5}], True),
        ([{"indoors": False}], True),
        ([{"indoors": 0}], False),
        ([{"people": True}], False),
        ([{"words": "EXIT"}], True),
        ([{"words": "GATE"}], False),
        ([{"objects.person": 2}], True),
        ([{"metadata.objects.car.red": 1}], True),
        ([{"objects.dog": 1}], False),
        ([{"objects": 2}], False),
        ([{"weather.kind": "x"}], False),
        ([{"nothing": "x"}], False),
        ([{"unknown": "x"}], False),
    ],
)
def test_a_filter_holds_when_all_its_conditions_do(filter_, holds):
    """A filter that lets a wrong record through is worse than none."""
    assert fits(METADATA, read_conditions(filter_)) is holds


@pytest.mark.parametrize(
    ("filter_", "problem"),
    [
        ({"weather": "rain"}, "list of objects"),
        ("weather", "list of objects"),
        (7, "list of objects"),
        ([7], "list of objects"),
        ([{}], "not empty"),
        ([{"weather": None}], "null"),
        ([{"people": {"$gte": 2}}], "an object.*no operators"),
        ([{"people": []}], "list that can't"),
        ([{"people": [[2]]}], "list that can't"),
        ([{"": "x"}], "key ''"),
        ([{"a..b": "x"}], "key 'a..b'"),
        ([{"metadata.": "x"}], "key 'metadata.'"),
        ([{f"k{number}": 1 for number in range(51)}], "51 conditions"),
    ],
)
def test_any_other_filter_is_refused(filter_, problem):
    """An operator that is silently ignored gives answers to another question."""
    with pytest.raises(ValueError, match=problem):
        read_conditions(filter_)
