"""Debian packages that this machine lacks, or that Debian lets nobody install beside another: fetched, and unpacked into a folder of the tests' own."""
import atexit
import glob
import os
import shutil
import subprocess
import tempfile

# What a package needs beyond what every machine has that builds Martlet.
LIBRARIES = {
    "msmtp": ["libgnutls30", "libgsasl18", "libntlm0", "libsecret-1-0"],
    "s-nail": ["libgssapi-krb5-2", "libidn2-0", "libtinfo6"],
    "exim4-daemon-light": ["libdb5.3", "libgnutls-dane0", "libgnutls30", "libunbound8", "libidn12", "libidn2-0", "libnsl2", "libpcre2-8-0"],
    "opensmtpd": ["libdb5.3", "libevent-2.1-7"],
}
FOLDERS = {}


def is_installed(package):
    said = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Abbrev}", package], capture_output=True, text=True)
    return said.returncode == 0 and said.stdout.startswith("ii")


def unpacked(package):
    """The folder with the package's files, and None; or None, and why it cannot be had. Nothing of the machine is changed."""
    if package not in FOLDERS:
        FOLDERS[package] = fetch(package)
    return FOLDERS[package]


def fetch(package):
    if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
        return None, "%s: this is no Debian" % package
    folder = tempfile.mkdtemp(prefix="martlet-%s-" % package)
    os.chmod(folder, 0o755)
    atexit.register(shutil.rmtree, folder, True)
    wanted = [package] + [library for library in LIBRARIES[package] if not is_installed(library)]
    try:
        done = subprocess.run(["apt-get", "download", *wanted], cwd=folder, capture_output=True, text=True, timeout=300)
        if done.returncode:
            return None, "%s cannot be fetched: %s" % (package, done.stderr.strip().split("\n")[-1])
        for archive in glob.glob(folder + "/*.deb"):
            subprocess.run(["dpkg-deb", "-x", archive, folder], check=True, capture_output=True, timeout=120)
    except (OSError, subprocess.SubprocessError) as error:
        return None, "%s cannot be fetched: %s" % (package, error)
    return folder, None


def environment(folder):
    """For a program of the folder: its libraries are found there first."""
    paths = [path for path in glob.glob(folder + "/usr/lib/*-linux-gnu") + glob.glob(folder + "/lib/*-linux-gnu") if os.path.isdir(path)]
    return dict(os.environ, LD_LIBRARY_PATH=":".join(paths)) if paths else dict(os.environ)
