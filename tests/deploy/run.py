"""Tests deploy/: the template on ministack, its programs with its roles' keys, the publishing of images on moto.

    run.py FOLDER-OF-PROGRAMS [TEST…]        e.g. run.py target/debug test_stack

`make test-deploy` runs it.
"""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import world  # noqa: E402

# In this order: the last ones change the stack, and take it down.
ALL = ["test_publish", "test_stack", "test_listing", "test_backlog", "test_roles", "test_teardown"]


def main():
    world.PROGRAMS = pathlib.Path(sys.argv[1]).resolve()
    tests = unittest.TestLoader().loadTestsFromNames(sys.argv[2:] or ALL)
    try:
        result = unittest.TextTestRunner(verbosity=2).run(tests)
    finally:
        world.end()
    if not result.wasSuccessful() or result.testsRun == 0:
        sys.exit(1)
    world.forget()


main()
