"""From prompts to rules: what users write is read as they mean it, and what is not is told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtstream_async.local.domain.rules.reading import read_prompt
from rtstream_async.local.domain.rules.tree import (
    AllOf,
    AnyOf,
    Became,
    Ceased,
    NotSo,
    Outcome,
    Rule,
    Thing,
    Unknown,
    is_denial,
    leaves,
)
from rtstream_async.local.domain.rules.understanding import understand
from rtstream_async.local.domain.rules.wording import in_words


def short(rule: Rule) -> str:  # noqa: PLR0911 - a row for each kind of rule
    """A rule on one line: `person 2..` is two people or more."""
    match rule:
        case Thing():
            colors = f" {'|'.join(sorted(rule.colors))}" if rule.colors else ""
            return f"{rule.noun} {rule.low}..{'' if rule.high is None else rule.high}{colors}"
        case AllOf(parts):
            return f"({' & '.join(map(short, parts))})"
        case AnyOf(parts):
            return f"({' | '.join(map(short, parts))})"
        case NotSo(part):
            return f"not {short(part)}"
        case Became(part):
            return f"new {short(part)}"
        case Ceased(part):
            return f"gone {short(part)}"
        case Unknown():
            return f"?{rule.text}?"
        case Outcome():
            return rule.kind.name
        case _:
            return in_words(rule)


READINGS = {
    # how many
    "a person": "person 1..",
    "people": "person 1..",
    "A person is in the picture": "person 1..",
    "there are 2 cats": "cat 2..2",
    "two people": "person 2..2",
    "seven people": "person 6..8",
    "at least 3 dogs": "dog 3..",
    "3+ people": "person 3..",
    "Three people or more": "person 3..",
    "six or more people": "person 6..",
    "more than five people": "person 6..",
    "over 4 cars": "car 5..",
    "person count > 3": "person 4..",
    "people >= 3": "person 3..",
    "fewer than three people": "person 0..2",
    "under 3 people": "person 0..2",
    "at most 2 people": "person 0..2",
    "five people or fewer": "person 0..5",
    "2 or fewer people": "person 0..2",
    "two cats or fewer": "cat 0..2",
    "no more than two people": "person 0..2",
    "not less than two people": "person 2..",
    "exactly one person": "person 1..1",
    "only one person": "person 1..1",
    "a single person": "person 1..1",
    "just a person": "person 1..1",
    "between two and four people": "person 2..4",
    "4 to 2 people": "person 2..4",
    "two or three persons": "person 2..3",
    "a dozen people": "person 10..14",
    "dozens of people": "person 24..",
    "a couple of people": "person 2..2",
    "several people": "person 3..",
    "multiple people": "person 2..",
    "many cars": "car 5..",
    "a crowd of people": "person 5..",
    "crowd": "person 5..",
    "a group of people": "person 3..",
    "a number of people": "person 3..",
    "number of people is greater than 5": "person 6..",
    "people in the picture: more than five": "person 6..",
    "hundred people": "person 80..120",
    "someone is alone": "person 1..1",
    "a man and a woman": "person 2..",
    "two men and one woman": "person 3..3",
    # names
    "Detect pedestrians": "person 1..",
    "a lorry": "lorry 1..",
    "a cell phone": "cell phone 1..",
    "two buses": "bus 2..2",
    "puppies": "puppy 1..",
    "is there a car?": "car 1..",
    "PERSON ENTERS": "new person 1..",
    "alert me when a DOG appears": "new dog 1..",
    # colours
    "somebody dressed in black": "person 1.. black",
    "a man in a red jacket": "man 1.. red",
    "a person in red or blue": "person 1.. blue|red",
    "a person with a grey coat": "person 1.. grey",
    "a gray car": "car 1.. grey",
    "several people, one of them in blue": "(person 3.. & person 1.. blue)",
    "one of them in blue": "?1 blue?",
    "wearing red": "person 1.. red",
    "in red": "?red?",
    "the dog in red": "(dog 1.. & ?red?)",
    "a person wearing red wearing blue": "(person 1.. red & ?wearing blue?)",
    "a person not wearing red": "(person 1.. & not person 1.. red)",
    "a person wearing a hat": "(person 1.. & ?wearing a hat?)",
    # no and not
    "no people": "not person 1..",
    "nobody is there": "not person 1..",
    "no one is at the desk": "not person 1..",
    "there isn't anyone here": "not person 1..",
    "zero people": "not person 1..",
    "not a single person": "not person 1..",
    "without any person": "not person 1..",
    "no car or truck": "not (car 1.. | truck 1..)",
    "no people and cars": "not (person 1.. | car 1..)",
    "no people and no cars": "(not person 1.. & not car 1..)",
    "neither a dog nor a cat": "(not dog 1.. & not cat 1..)",
    "a person without a helmet": "(person 1.. & not ?helmet?)",
    "no smiling people": "not (?smiling? & person 1..)",
    "a person is not visible": "not person 1..",
    "the car is not moving": (
        "(car 1.. & not at least 0.3% of the picture changes from frame to frame)"
    ),
    "a person is missing": "not person 1..",
    "nothing is on the table": "(not ?anything? & table 1..)",
    "the street is empty": "not person 1..",
    "the room is not empty": "person 1..",
    "an empty parking lot": "not person 1..",
    "a person that is never": "not person 1..",
    "I can't see anybody": "not person 1..",
    "no": "?no?",
    "person: none": "not person 1..",
    "it won't be a person": "not person 1..",
    "there's no person": "not person 1..",
    "a person's dog": "(person 1.. & dog 1..)",
    # and, or, but
    "people and cars": "(person 1.. & car 1..)",
    "a bicycle or a motorcycle": "(bicycle 1.. | motorcycle 1..)",
    "a dog, a cat or a bird": "(dog 1.. | cat 1.. | bird 1..)",
    "cars, trucks and buses": "(car 1.. & truck 1.. & bus 1..)",
    "a cat or a dog but no person": "((cat 1.. | dog 1..) & not person 1..)",
    "a person and nothing": "(person 1.. & not ?anything?)",
    "and": "?and?",
    # coming and going
    "a person enters": "new person 1..",
    "a man and a woman enter the shop": "(new man 1.. & new woman 1..)",
    "a dog or a cat appears": "(new dog 1.. | new cat 1..)",
    "everybody has left": "gone everybody 1..",
    "everyone is wearing black": "(?everybody? & everyone 1.. black)",
    "car leaves the parking lot": "gone car 1..",
    "someone leaves a bag": "(person 1.. & bag 1.. & ?leaves?)",
    "a dog on the left": "(dog 1.. & ?on the left?)",
    # together
    "a person on a bicycle": "(person 1.. & bicycle 1..)",
    "someone is using a phone": "(person 1.. & phone 1..)",
    "a person in the kitchen of the house": "person 1..",
    "someone is walking on the road": (
        "(person 1.. & at least 0.3% of the picture changes from frame to frame)"
    ),
    # words on a screen
    "the word ERROR is on screen": "the words “ERROR” can be read",
    "text 'FAILED' appears": "new the words “FAILED” can be read",
    "“Access denied” is displayed": "the words “Access denied” can be read",
    "the word total is shown": "the words “total” can be read",
    "the word total pops up": "new the words “total” can be read",
    'a person holding a sign that says "STOP" and "NOW"': (
        "(the words “STOP” can be read & person 1.. & ?sign? & the words “NOW” can be read)"
    ),
    '"A" "B"': "(the words “A” can be read & the words “B” can be read)",
    "the word 'Errors' and the number 37": (
        "(the words “Errors” can be read & the words “37” can be read)"
    ),
    "the word 'Errors' and a cat": "(the words “Errors” can be read & cat 1..)",
    "the screen says hello": "the words “hello” can be read",
    "the screen shows a person": "person 1..",
    "the screen shows a credit card number": "the words “credit card number” can be read",
    "an invoice is on the screen": "the words “invoice” can be read",
    "a shop dashboard is displayed": "the words “shop dashboard” can be read",
    "the screen does not show 'OK'": "not the words “OK” can be read",
    "an error message is on the screen": "FAILURE",
    "an error message appears": "new FAILURE",
    "there are no errors": "not FAILURE",
    "a test has failed": "FAILURE",
    "a failing test": "FAILURE",
    "The terminal shows a failed test": "FAILURE",
    "the build succeeded": "SUCCESS",
    "no test failed": "not FAILURE",
    "errors are greater than 30": "(FAILURE & ?at least 31?)",
    "User opened Slack application": "the words “slack” can be read",
    "Slack comes to the front": "new the words “slack” can be read",
    "the Slack app is open": "the words “slack” can be read",
    "someone opens the Slack app": "the words “slack” can be read",
    "someone opens a bottle": "(person 1.. & bottle 1.. & ?opens?)",
    "the door is open": "?door is open?",
    # words that are said
    'someone says "budget" or "deadline"': (
        "(the words “budget” are said | the words “deadline” are said)"
    ),
    "someone mentions the budget": "the words “budget” are said",
    "John Dashwood is mentioned": "the words “john dashwood” are said",
    "someone talks about a young man": "the words “young man” are said",
    "people say that something is down": "the words “down” are said",
    "someone mentions the word": "the words “word” are said",
    "nobody is speaking": "not somebody speaks",
    "silence": "not somebody speaks",
    "it is not silent": "somebody speaks",
    "nobody says 'stop'": "not the words “stop” are said",
    "somebody speaks": "somebody speaks",
    "they discuss the": "the words “the” are said",
    "someone says the": "the words “the” are said",
    # the picture as a whole
    "It is dark": "the picture is dark",
    "it is not dark": "not the picture is dark",
    "it's too dark to see": "the picture is very dark",
    "the lights go out": "new the picture is without light",
    "the lights come back on": "gone the picture is dark",
    "the image is overexposed": "the picture is too bright",
    "a bright room": "the picture is bright",
    "something is moving": "at least 0.3% of the picture changes from frame to frame",
    "nothing moves": "not at least 0.3% of the picture changes from frame to frame",
    "the screen changes completely": "at least 70.0% of the picture changes from frame to frame",
    "no motion": "not at least 0.3% of the picture changes from frame to frame",
    "a blue screen": "the picture is mostly blue",
    "the screen turns blue": "new the picture is mostly blue",
    "the screen is not red": "not the picture is mostly red",
    # nothing that a rule knows
    "Detect fire": "?fire?",
    "": "??",
    "the": "?the?",
    "the payment service is down": "?payment service is down?",
    "no helmet": "not ?helmet?",
    "it is red": "the picture is mostly red",
    "stock price below 100": "?stock price 0 to 99?",
    "exactly 5": "?5?",
    "at least 5": "?at least 5?",
}


@pytest.mark.parametrize(("prompt", "expected"), READINGS.items())
def test_a_prompt_is_read_as_it_is_meant(prompt: str, expected: str) -> None:
    """An alert that waits for something else than was asked for is worse than none."""
    assert short(read_prompt(prompt).rule) == expected


WORDS = (
    *("no", "not", "a", "the", "3", "one", "two", "people", "person", "car", "dog", "red", "blue"),
    *("wearing", "in", "on", "enters", "leaves", "and", "or", "but", ",", "nobody", "screen"),
    *("shows", "says", "'x'", '"ERROR"', "error", "test", "failed", "lights", "out", "dark"),
    *("picture", "turns", "black", "moves", "alone", "them", "of", "least", "at", "more", "than"),
    *("fewer", "everyone", "missing", "without"),
)


@given(st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join) | st.text(max_size=80))
def test_any_text_has_a_reading(prompt: str) -> None:
    """A prompt that raised would be an event that can never be made, for no reason to be seen."""
    reading = read_prompt(prompt)
    understood = understand(reading)
    assert understood.words
    assert understood.note.startswith("Understood as: ")
    assert list(leaves(reading.rule))
    assert (understood.decided_by == "rules") == (not reading.not_understood)


def test_a_story_is_not_taken_apart() -> None:
    """The work grows faster than the text; one long prompt would hold up the whole server."""
    story = "no person or dog and " * 30
    assert read_prompt(story).not_understood == (" ".join(story.split()),)


@pytest.mark.parametrize(
    ("prompt", "decided_by"),
    [("a dog", "rules"), ("a fire", "similarity"), ("a person without a helmet", "judge")],
)
def test_who_decides_is_told_with_the_reading(prompt: str, decided_by: str) -> None:
    """Whoever writes an event learns at once that his server can't know what he asks for."""
    understood = understand(read_prompt(prompt))
    assert understood.decided_by == decided_by
    assert is_denial(understood.rule) == (decided_by == "judge")
    told = {
        "rules": "dog",
        "similarity": "likeness of the record",
        "judge": "takes a language model",
    }
    assert told[decided_by] in understood.note


def test_an_index_says_what_never_comes_to_it() -> None:
    """An alert for spoken words on pictures would wait for ever, in silence."""
    said, seen, both = (
        understand(read_prompt(prompt))
        for prompt in ('someone says "stop"', "a dog", 'a dog or someone says "stop"')
    )
    assert "looks at pictures" in (said.out_of_reach(is_heard=False) or "")
    assert said.out_of_reach(is_heard=True) is None
    assert "listens" in (seen.out_of_reach(is_heard=True) or "")
    assert seen.out_of_reach(is_heard=False) is None
    assert both.out_of_reach(is_heard=True) is both.out_of_reach(is_heard=False) is None


def test_a_rule_is_told_in_words() -> None:
    """The answer to a new event is where a misunderstanding can still be seen."""
    prompt = (
        "a cat or at most two dogs, and no person wearing red or blue in the room, and a visitor"
        ' arrives, and the car or the bus has left, and someone says "go"'
    )
    assert in_words(read_prompt(prompt).rule)
    assert in_words(read_prompt("no dog or cat").rule) == "not: (at least 1 dog or at least 1 cat)"
    assert in_words(read_prompt("a visitor in the room").rule) == (
        "at least 1 visitor (whether it is a visitor and the place not checked)"
    )
    assert in_words(read_prompt("a cat or a dog but no person").rule) == (
        "(at least 1 cat or at least 1 dog) and not: at least 1 person"
    )
    assert in_words(read_prompt("two to four people in red").rule) == "2 to 4 people in red"
    assert in_words(read_prompt("at most 3 people").rule) == "at most 3 people"
    assert in_words(read_prompt("the build failed").rule) == "the screen tells of a failure"
