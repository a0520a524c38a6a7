#!/usr/bin/env python3
"""Explores the scenarios of the spool model and compares each with what is expected.

usage: run.py fast | full | NAME   [--trace]     NAME: a rule, or a part of a scenario's name
       run.py rules                              the numbered rules

One line a scenario; lines that begin with !! differ from the expectation.  --trace prints the shortest trace of each
violation found.  A search that stops at its bound of states without a violation is not complete, and its line says so.
"""
import sys
import time

sys.dont_write_bytecode = True

from rules import RULES
from scenarios import scenarios
from search import explore

BOUND = {'fast': 120_000, 'full': 600_000}


def chosen(what):
    if what in BOUND:
        return [scenario for scenario in scenarios() if what == 'full' or not scenario.slow]
    return [scenario for scenario in scenarios() if what in scenario.name.split() or what in scenario.name]


def passes(scenario, outcome):
    """A bound reached without a violation is as good as `holds`, within the bound."""
    return outcome.verdict == scenario.expected or (outcome.verdict, scenario.expected) == ('bounded', 'holds')


def report(scenario, bound, traces):
    begun = time.monotonic()
    outcome = explore(scenario.build(), bound)
    passed = passes(scenario, outcome)
    effort = f'{outcome.states} states, {outcome.rests} at rest, {time.monotonic() - begun:.1f} s'
    print(f"{'' if passed else '!! '}{scenario.model.__name__}: {scenario.name}: {outcome.verdict} ({effort})"
          + (f' {outcome.reason}' if outcome.reason else ''), flush=True)
    if traces:
        for number, label in enumerate(outcome.trace, 1):
            print(f'    {number:3} {label}')
    return passed


def main(arguments):
    names = [argument for argument in arguments if not argument.startswith('--')]
    if len(names) != 1 or set(arguments) - set(names) - {'--trace'}:
        print(__doc__)
        return 64
    if names == ['rules']:
        print('\n'.join(f'{number:3} {rule:15} {sentence}' for number, (rule, sentence) in enumerate(RULES.items(), 1)))
        return 0
    results = [report(scenario, BOUND.get(names[0], BOUND['full']), '--trace' in arguments)
               for scenario in chosen(names[0])]
    failed = results.count(False) or int(not results)
    print(f'{results.count(True)} passed, {failed} failed')
    return int(failed > 0)


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
