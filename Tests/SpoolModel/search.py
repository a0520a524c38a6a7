"""Breadth-first search of a model's states: the first violation found has a shortest trace.

A model offers `initial()`, `moves(state)` (what programs do), `events(state)` (what the world does to them: kills,
power cuts, people) and `at_rest(state)`, which is asked in each state in which no program can move.  Moves and
events are pairs of a label and the next state.  A broken promise is raised as `Violation` wherever it shows.
"""
from typing import NamedTuple


class Violation(Exception):
    """A promise of the spool is broken."""


class Outcome(NamedTuple):
    verdict: str        # 'holds', 'violated', or 'bounded': no violation among the first `limit` states
    reason: str
    trace: list
    states: int
    rests: int          # states in which no program could move


class Model:
    """What all models share: the rules taken away."""

    def __init__(self, without=()):
        self.without = frozenset(without)

    def keeps(self, rule):
        return rule not in self.without


def explore(model, limit):
    first = model.initial()
    states, origin, seen = [first], [(-1, '')], {first}
    position = rests = 0

    def trace(index, last):
        labels = [last]
        while index > 0:
            labels.append(origin[index][1])
            index = origin[index][0]
        return labels[::-1]

    def add(label, state):
        if state not in seen:
            seen.add(state)
            states.append(state)
            origin.append((position, label))

    while position < len(states):
        state = states[position]
        label, moved = '', False
        try:
            for label, following in model.moves(state):
                moved = True
                add(label, following)
            if not moved:
                rests += 1
                model.at_rest(state)
            for label, following in model.events(state):
                add(label, following)
        except Violation as violation:
            return Outcome('violated', str(violation), trace(position, f'then: {violation}'), len(states), rests)
        position += 1
        if len(states) > limit:
            return Outcome('bounded', f'no violation in {limit} states', [], len(states), rests)
    return Outcome('holds', '', [], len(states), rests)


def subsets(items):
    """All subsets, as lists; what of several unsynced things a power cut keeps."""
    items = sorted(items)
    for bits in range(1 << len(items)):
        yield [item for i, item in enumerate(items) if bits >> i & 1]
