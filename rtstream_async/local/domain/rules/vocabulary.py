"""The words that rules know: things and their other names, colours, clothes, places, fillers."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from rtstream_async.local.domain.rules.words import NEGATIONS, singular

__all__ = [
    "COLORS",
    "EVERYBODY",
    "FILLERS",
    "GARMENTS",
    "PERSON",
    "PLACES",
    "PREPOSITIONS",
    "Noun",
    "is_known",
    "noun_of",
]

PERSON = "person"


@attrs.frozen
class Noun:
    """A word for a thing, and what the detector calls it."""

    singular: str
    plural: str
    labels: frozenset[str]
    unverified: str | None = None  #: what the word says and the detector can't tell
    is_crowd: bool = False


def noun_of(words: str) -> Noun | None:
    """Return the thing that one or two plain words name, or `None`."""
    head, _, last = words.rpartition(" ")
    return _NOUNS.get(f"{head} {singular(last)}".strip())


def is_known(word: str) -> bool:
    """Whether a plain word is one of those that are told apart here."""
    known = (COLORS, EVERYBODY, FILLERS, GARMENTS, NEGATIONS, PLACES, PREPOSITIONS)
    return noun_of(word) is not None or any(word in words for words in known)


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",")]


_PLURALS = {
    "bench": "benches",
    "bus": "buses",
    "child": "children",
    "couch": "couches",
    "human being": "human beings",
    "knife": "knives",
    "man": "men",
    "mouse": "mice",
    "person": "people",
    "sandwich": "sandwiches",
    "scissors": "pairs of scissors",
    "sheep": "sheep",
    "skis": "pairs of skis",
    "toothbrush": "toothbrushes",
    "wine glass": "wine glasses",
    "woman": "women",
}

#: Words for people about whom nothing else is said.
_PEOPLE = _words(
    "person, human, human being, individual, pedestrian, figure, passer-by, passerby, adult, folk"
)
#: Words that say more of a person than can be seen.
_ROLES = _words(
    "man, woman, boy, girl, child, kid, baby, toddler, guy, lady, gentleman, teenager, visitor,"
    "guest, customer, client, shopper, employee, worker, staff, stranger, intruder, burglar, thief,"
    "trespasser, user, occupant, resident, neighbor, neighbour, student, tourist, male, female"
)
EVERYBODY = frozenset({"everybody", "everyone"})

#: What the detector calls a thing, and the other words for it.
_THINGS: Mapping[str, str] = {
    "bicycle": "bicycle, pushbike",
    "car": "car, automobile, sedan, taxi, cab, suv",
    "motorcycle": "motorcycle, motorbike, scooter, moped",
    "airplane": "airplane, aeroplane, plane, aircraft, jet",
    "bus": "bus, coach",
    "train": "train, locomotive, tram",
    "truck": "truck, lorry, semi",
    "boat": "boat, ship, vessel, yacht, sailboat",
    "traffic light": "traffic light, stoplight, traffic signal",
    "fire hydrant": "fire hydrant, hydrant",
    "stop sign": "stop sign",
    "parking meter": "parking meter",
    "bench": "bench",
    "bird": "bird, pigeon, seagull, duck, crow, chicken",
    "cat": "cat, kitten, kitty",
    "dog": "dog, puppy, doggy, hound",
    "horse": "horse, pony",
    "sheep": "sheep, lamb",
    "cow": "cow, cattle, bull, calf",
    "elephant": "elephant",
    "bear": "bear",
    "zebra": "zebra",
    "giraffe": "giraffe",
    "backpack": "backpack, rucksack",
    "umbrella": "umbrella, parasol",
    "handbag": "handbag, purse",
    "tie": "tie, necktie",
    "suitcase": "suitcase",
    "frisbee": "frisbee",
    "skis": "skis, ski",
    "snowboard": "snowboard",
    "sports ball": "sports ball, ball, football, soccer ball, basketball, tennis ball",
    "kite": "kite",
    "baseball bat": "baseball bat",
    "baseball glove": "baseball glove",
    "skateboard": "skateboard",
    "surfboard": "surfboard",
    "tennis racket": "tennis racket, tennis racquet",
    "bottle": "bottle",
    "wine glass": "wine glass",
    "cup": "cup, mug",
    "fork": "fork",
    "knife": "knife",
    "spoon": "spoon",
    "bowl": "bowl",
    "banana": "banana",
    "apple": "apple",
    "sandwich": "sandwich",
    "broccoli": "broccoli",
    "carrot": "carrot",
    "hot dog": "hot dog",
    "pizza": "pizza",
    "donut": "donut, doughnut",
    "cake": "cake",
    "chair": "chair",
    "couch": "couch, sofa",
    "potted plant": "potted plant, houseplant",
    "bed": "bed",
    "dining table": "dining table, table",
    "toilet": "toilet",
    "tv": "tv, television",
    "laptop": "laptop, notebook computer",
    "mouse": "computer mouse",
    "remote": "remote control",
    "keyboard": "keyboard",
    "cell phone": "cell phone, mobile phone, phone, smartphone, cellphone, mobile, telephone",
    "microwave": "microwave",
    "oven": "oven",
    "toaster": "toaster",
    "sink": "sink",
    "refrigerator": "refrigerator, fridge",
    "book": "book",
    "clock": "clock",
    "vase": "vase",
    "scissors": "scissors",
    "teddy bear": "teddy bear, teddy",
    "hair drier": "hair dryer, hair drier",
    "toothbrush": "toothbrush",
}

#: Words for any of several kinds.
_KINDS: Mapping[str, str] = {
    "animal": "bird, cat, dog, horse, sheep, cow, elephant, bear, zebra, giraffe",
    "pet": "cat, dog",
    "vehicle": "car, truck, bus, motorcycle",
    "traffic": "car, truck, bus, motorcycle",
    "van": "car, truck",
    "bike": "bicycle, motorcycle",
    "bag": "backpack, handbag, suitcase",
    "luggage": "suitcase, backpack",
}


def _plural(word: str) -> str:
    if word in _PLURALS:
        return _PLURALS[word]
    if word.endswith(("ch", "sh", "x", "ss")):
        return f"{word}es"
    return f"{word[:-1]}ies" if word.endswith(("ty", "by", "py", "ny", "dy")) else f"{word}s"


def _nouns() -> dict[str, Noun]:
    person = frozenset({PERSON})
    nouns = {word: Noun("person", "people", person) for word in _PEOPLE}
    for word in ("someone", "somebody", "anyone", "anybody"):
        nouns[word] = Noun("person", "people", person)
    for word in ("crowd", "mob"):
        nouns[word] = Noun("person", "people", person, None, True)
    for word in _ROLES:
        nouns[word] = Noun(word, _plural(word), person, f"whether it is a {word}")
    for label, names in _THINGS.items():
        for word in _words(names):
            nouns[word] = Noun(word, _plural(word), frozenset({label}))
    for word, labels in _KINDS.items():
        nouns[word] = Noun(word, _plural(word), frozenset(_words(labels)))
    return nouns


_NOUNS: Mapping[str, Noun] = _nouns()

COLORS: Mapping[str, str] = {
    **{name: name for name in _words("black, grey, white, red, orange, brown, yellow, green")},
    **{name: name for name in _words("turquoise, blue, purple, pink")},
    "gray": "grey",
    "silver": "grey",
    "beige": "brown",
    "tan": "brown",
    "cyan": "turquoise",
    "teal": "turquoise",
    "navy": "blue",
    "violet": "purple",
    "magenta": "pink",
    "crimson": "red",
    "scarlet": "red",
}

#: What is worn on the upper body, where the colour of clothes is looked for.
GARMENTS = frozenset(
    _words(
        "jacket, coat, shirt, t-shirt, tshirt, tee, sweater, hoodie, vest, suit, dress, clothes,"
        "clothing, top, outfit, uniform, pullover, jumper, blouse, costume, garment, cardigan, robe"
    )
)

PREPOSITIONS = frozenset(
    _words(
        "in, on, at, near, by, outside, inside, along, across, through, over, before, behind,"
        "beside, to, into, from, around, within, of, off, down, up, towards, toward, past"
    )
)

#: Where a camera usually looks: such a place is taken for what is in the picture.
PLACES = frozenset(
    _words(
        "area, aisle, background, building, corridor, counter, courtyard, crossing, crosswalk,"
        "desk, door, doorway, driveway, entrance, entry, exit, footpath, foreground, front, garage,"
        "garden, gate, grass, hall, hallway, highway, home, house, intersection, junction, kitchen,"
        "lane, lawn, lobby, location, lot, office, park, parking, path, pavement, place, platform,"
        "plaza, porch, premises, property, road, room, shop, sidewalk, site, spot, square, stairs,"
        "station, store, street, surroundings, walkway, warehouse, yard, zone"
    )
)

#: Words that ask for nothing by themselves.
FILLERS = frozenset(
    _words(
        "a, an, the, there, is, are, was, were, be, been, being, am, it, its, this, that, these,"
        "those, i, me, we, us, you, your, our, my, his, her, their, they, he, she, them, please,"
        "alert, alarm, notify, tell, warn, inform, let, know, detect, detects, detected, detection,"
        "trigger, raise, report, when, whenever, if, once, whether, check, watch, as, soon, for,"
        "which, who, whom, while, during, now, currently, right, again, just, also, some, any, can,"
        "could, should, would, will, shall, may, might, do, does, did, has, have, had, having, one,"
        "get, gets, got, becomes, become, turn, turns, visible, seen, see, sees, spotted, spot,"
        "found, noticed, present, standing, stands, stand, parked, shows, show, shown,"
        "showing, located, here, somewhere, nearby, least, then, so, time, image, picture, and, or,"
        "with, other, another, more, all, new, event, sight, sighting, presence, somehow, living,"
        "been, where, what, count, total, really, actually, too, very, clearly, photo, photograph,"
        "display, displayed, contains, contain, containing, includes, include, anywhere, both,"
        "each, last, view, camera, frame, video, screen, footage, shot, feed, scene, snapshot,"
        "monitor,"
        "exists, exist, occurs, happens, ever, at, outdoors, indoors, part, pictured, depicted"
    )
)
