"""Texts about nothing that a camera or a meeting shows.

How near they are to a question is how near texts are that have nothing to do with it.
"""

from __future__ import annotations

__all__ = ["UNRELATED"]

UNRELATED = (
    "Add the chopped onions and let them simmer in butter until they are soft.",
    "Comets come back after many years and show a long tail.",
    "The treaty was signed in the spring and ended the long quarrel of the two kings.",
    "Photosynthesis turns light, water and carbon dioxide into sugar.",
    "The poem has three stanzas and does not rhyme.",
    "Interest is added to the savings account at the end of the year.",
    "Whales sing to each other across hundreds of miles.",
    "Ancient potters painted their vases with scenes of myths.",
    "The novel is told by a lighthouse keeper who lives alone.",
    "Water boils at a lower temperature high up in the mountains.",
    "A good soil for roses is loose and rich in clay.",
    "The square of the longest side equals the sum of the other two squares.",
    "Cheese ripens for months in cool cellars.",
    "The philosopher doubted everything except his own doubt.",
    "Bees dance to tell the others where the flowers are.",
    "The dialect has nine vowels and no word for snow.",
    "Iron rusts faster where the air is salty.",
    "He inherited the vineyard from an aunt whom he had never met.",
    "The alphabet was taken over from traders who came by sea.",
    "Gravel settles at the bottom of the river, sand further down.",
    "The second movement is slow and in a minor key.",
    "A litre of milk costs more in the north of the country.",
    "Chess players think of positions rather than of single moves.",
    "The amber holds an insect that is forty million years old.",
)
