"""The judges of the mailboxes see what they are there for: each kind of damage is found, and what is right is not."""
import unittest

from mailboxes import Drop, Shelf


class Work:
    def __init__(self):
        self.token, self.problems = "seed/imapd/1", []


class FakeShelf(Shelf):
    """A shelf whose mailboxes are given: box → token → (uid, flags)."""

    def __init__(self, contents):
        super().__init__(Work())
        self.contents = contents

    def say(self, name, *arguments):
        return [b'(\\HasNoChildren) "." %s' % box.encode() for box in self.contents]

    def look(self, box):
        return self.contents[box]

    def forget(self):
        self.session = None

    def found(self):
        self.judge()
        return self.work.problems


class Judging(unittest.TestCase):
    def shelf(self, **boxes):
        return FakeShelf({box: {token: (uid, set(flags)) for token, uid, *flags in messages} for box, messages in boxes.items()})

    def test_what_is_as_promised_is_right(self):
        shelf = self.shelf(a=[("one", 1, "\\Seen")], b=[("two", 1)])
        shelf.copies["one"], shelf.flags["one"]["\\Seen"] = {"a": (1, 1)}, True
        shelf.copies["two"], shelf.once["two"] = {"a": (0, 1), "b": (0, 1)}, ("a", "b")
        shelf.copies["perhaps"] = {"a": (0, 1)}
        self.assertEqual(shelf.found(), [])

    def test_a_lost_message_is_seen(self):
        shelf = self.shelf(a=[])
        shelf.copies["one"] = {"a": (1, 1)}
        self.assertIn("one is 0 times in a", shelf.found()[0])

    def test_an_expunged_message_that_is_back_is_seen(self):
        shelf = self.shelf(a=[("one", 1)])
        shelf.copies["one"] = {"a": (0, 0)}
        self.assertIn("one is 1 times in a", shelf.found()[0])

    def test_a_moved_message_in_both_places_or_in_none_is_seen(self):
        for boxes in ({"a": [("one", 1)], "b": [("one", 1)]}, {"a": [], "b": []}):
            shelf = self.shelf(**boxes)
            shelf.copies["one"], shelf.once["one"] = {"a": (0, 1), "b": (0, 1)}, ("a", "b")
            self.assertIn("not in exactly one", shelf.found()[0])

    def test_a_flag_that_was_promised_and_is_gone_is_seen(self):
        shelf = self.shelf(a=[("one", 1)])
        shelf.copies["one"], shelf.flags["one"]["\\Seen"] = {"a": (1, 1)}, True
        self.assertIn("lacks \\Seen", shelf.found()[0])
        shelf = self.shelf(a=[("one", 1)])
        shelf.copies["one"], shelf.flags["one"]["\\Seen"] = {"a": (1, 1)}, None
        self.assertEqual(shelf.found(), [])

    def test_a_message_that_nobody_stored_is_seen(self):
        shelf = self.shelf(a=[("strange", 1), ("one", 2)])
        shelf.copies["one"] = {"a": (1, 1)}
        self.assertEqual(shelf.found(), ["stray: strange in a"])

    def test_a_mailbox_that_is_gone_with_its_mail_is_seen(self):
        shelf = self.shelf(b=[])
        shelf.copies["one"] = {"a": (1, 1)}
        self.assertIn("one is 0 times in a", shelf.found()[0])


class Maildrop(unittest.TestCase):
    def drop(self, states, there):
        drop = Drop(Work(), list(states))
        drop.state = dict(states)
        drop.names = {"uidl-" + token: token for token in there}
        drop.compare({name: number for number, name in enumerate(drop.names, 1)})
        return drop.work.problems

    def test_what_stays_goes_and_may_do_either(self):
        self.assertEqual(self.drop({"a": "there", "b": "gone", "c": "perhaps"}, ["a"]), [])
        self.assertEqual(self.drop({"a": "there", "b": "gone", "c": "perhaps"}, ["a", "c"]), [])

    def test_a_lost_message_and_one_that_is_back_are_seen(self):
        self.assertEqual(self.drop({"a": "there"}, []), ["lost from the maildrop: a"])
        self.assertEqual(self.drop({"a": "gone"}, ["a"]), ["deleted and back in the maildrop: a"])


if __name__ == "__main__":
    unittest.main()
