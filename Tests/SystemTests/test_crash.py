"""A small form of the crash test: mail comes in while every daemon is killed at random (crash.py has the full form)."""
import unittest

import crash
# The checker must bite before it is believed.
from test_invariant import SinkBehaviour, Tree  # noqa: F401


class Crash(unittest.TestCase):
    def test_acknowledged_mail_survives_the_death_of_every_daemon(self):
        self.assertEqual(crash.run(rounds=3, messages=100), {})


if __name__ == "__main__":
    unittest.main()
