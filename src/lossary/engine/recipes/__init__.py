"""Short calls: what a kind of call needs is decided once, and then only run.

A *kind* is a loss with the types, ranks and options of a call. When calls of a kind have come a few
times, its recipe is made: the kernel, and the order of its arguments. From then on a call goes
straight to machine code; until that is compiled, and for whatever a recipe does not cover, such as
a value outside its set, the engine's long road answers.
"""

from lossary.engine.recipes.recipe import NO_RECIPE, VALUE, WANTED, explained, roads

__all__ = ["NO_RECIPE", "VALUE", "WANTED", "explained", "roads"]
