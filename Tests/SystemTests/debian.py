"""Programs out of Debian's packages for a test: fetched once, unpacked beside the build, never installed."""
import glob
import os
import shutil
import subprocess

KEPT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".build", "debian"))


def tree(package, program):
    """Where the package's files are, and None; or None and a sentence, if it cannot be had."""
    root = os.path.join(KEPT, package)
    if os.path.exists(root + program):
        return root, None
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        return None, "%s comes from Debian's packages: no apt-get here" % package
    plan = subprocess.run(["apt-get", "-s", "-qq", "--no-install-recommends", "install", package], capture_output=True, text=True)
    names = [line.split()[1] for line in plan.stdout.split("\n") if line.startswith("Inst ")]
    names = [name for name in names if not name.startswith(("fonts-", "libjs-"))]
    fresh = root + ".new"
    shutil.rmtree(fresh, ignore_errors=True)
    os.makedirs(fresh + "/packages")
    done = subprocess.run(["apt-get", "download", *names], cwd=fresh + "/packages", capture_output=True, text=True) if names else plan
    if not names or done.returncode:
        return None, "Debian's %s cannot be fetched: %s" % (package, done.stderr.strip().split("\n")[-1] or "it is installed, or unknown")
    for file in glob.glob(fresh + "/packages/*.deb"):
        subprocess.run(["dpkg-deb", "-x", file, fresh], check=True)
    shutil.rmtree(root, ignore_errors=True)
    os.rename(fresh, root)
    return root, None


def environment(root):
    """With the libraries that were unpacked."""
    folders = [root + "/usr/lib", root + "/usr/lib/rspamd", *glob.glob(root + "/usr/lib/*-linux-gnu"), *glob.glob(root + "/usr/lib/*-linux-gnu/rspamd")]
    return dict(os.environ, LD_LIBRARY_PATH=":".join(folders))
