"""Lets the services' own users reach this checkout and Swift's runtime, where root started everything.

As root each service runs as a user of its own. A checkout below a closed folder (/root, mktemp -d) cannot be entered by
them. The least that helps is the right to pass, not to list, given to our services' group alone by an access list.
"""
import os
import re
import shutil
import subprocess

PROBE = "smtpd"


def works(root, mailctl, user):
    """Whether this user can start a program and read the configuration."""
    command = [mailctl, "--root", root, "config", "check"]
    return subprocess.run(["setpriv", "--reuid", user, "--regid", user, "--init-groups", *command],
                          capture_output=True, cwd="/").returncode == 0


def runtime_folders(program):
    """The folders of the shared libraries that a program is linked with."""
    listing = subprocess.run(["ldd", program], text=True, capture_output=True).stdout
    return {os.path.dirname(os.path.realpath(path)) for path in re.findall(r"=> (/\S+)", listing)}


def closed_folders(path):
    """Folders on the way to a path, itself included, that others may not pass."""
    found = []
    while True:
        if not os.stat(path).st_mode & 0o001:
            found.append(path)
        if path == "/":
            return found[::-1]
        path = os.path.dirname(path)


def open_for_services(root, mailctl, prefix, failure):
    user, group = prefix + PROBE, prefix + "services"
    if works(root, mailctl, user):
        return
    closed = set()
    for path in {os.path.realpath(root)} | runtime_folders(mailctl):
        closed.update(closed_folders(path))
    if not shutil.which("setfacl"):
        subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", "acl"], env=dict(os.environ, DEBIAN_FRONTEND="noninteractive"),
                       stdout=subprocess.DEVNULL)
    for folder in sorted(closed):
        print("    group %s may now pass through %s (undo: setfacl -x g:%s %s)" % (group, folder, group, folder), flush=True)
        subprocess.run(["setfacl", "-m", "g:%s:--x" % group, folder])
    if not works(root, mailctl, user):
        raise failure("the services run as users of their own (%s…), and these cannot reach %s or Swift's libraries; "
                      "put the checkout where they can, such as /srv, or run as an ordinary user" % (user, root))
