"""Lets the services' own users reach this checkout and Swift's runtime while root runs the demonstration.

As root each service runs as a user of its own, and a checkout below /root cannot be entered by them. The least that
helps is the right to pass, not to list, for as long as the demonstration runs: every mode is put back at its end.
"""
import contextlib
import os
import re
import stat
import subprocess


def runtime_folders(program):
    """The folders of the shared libraries that a program is linked with."""
    listing = subprocess.run(["ldd", program], text=True, capture_output=True).stdout if os.path.exists(program) else ""
    return {os.path.dirname(os.path.realpath(path)) for path in re.findall(r"=> (/\S+)", listing)}


def closed_folders(path):
    """Folders on the way to a path, itself included, that others may not pass."""
    found = set()
    while path != "/":
        if not os.stat(path).st_mode & stat.S_IXOTH:
            found.add(path)
        path = os.path.dirname(path)
    return found


@contextlib.contextmanager
def way_open(root, program):
    """Opens the way for the time of a `with`; does nothing for an ordinary user, whose services run as that user."""
    closed = set()
    if os.geteuid() == 0:
        for path in {os.path.realpath(root)} | runtime_folders(program):
            closed |= closed_folders(path)
    modes = {folder: stat.S_IMODE(os.stat(folder).st_mode) for folder in sorted(closed)}
    for folder, mode in modes.items():
        print("while this runs, the services' users may pass through %s (chmod o+x; put back at the end)" % folder, flush=True)
        os.chmod(folder, mode | stat.S_IXOTH)
    try:
        yield
    finally:
        for folder, mode in modes.items():
            if stat.S_IMODE(os.stat(folder).st_mode) == mode | stat.S_IXOTH:
                os.chmod(folder, mode)


def works(root, mailctl, user):
    """Whether this user can start a program and read the configuration."""
    command = [mailctl, "--root", root, "config", "check"]
    return subprocess.run(["setpriv", "--reuid", user, "--regid", user, "--init-groups", *command],
                          capture_output=True, cwd="/").returncode == 0
