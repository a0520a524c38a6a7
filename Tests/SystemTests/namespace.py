"""A system of a test's own: a mount and a network namespace with copies of /etc, /var/spool and /var/cache, so the machine is not touched."""
import ctypes
import os
import subprocess
import tempfile
import traceback

NEW_MOUNTS, NEW_NETWORK = 0x00020000, 0x40000000


def run(*words, input=None, check=True, **options):
    done = subprocess.run(words, input=input, text=True, capture_output=True, timeout=120, **options)
    if check and done.returncode:
        raise AssertionError("%s: exit %d\n%s%s" % (" ".join(words), done.returncode, done.stdout, done.stderr))
    return done


def enter_a_system_of_its_own(folder):
    if ctypes.CDLL(None, use_errno=True).unshare(NEW_MOUNTS | NEW_NETWORK):
        raise OSError(ctypes.get_errno(), "unshare")
    run("mount", "--make-rprivate", "/")
    for place in ("/etc", "/var/spool", "/var/cache"):
        copy = os.path.join(folder, place.strip("/").replace("/", "-"))
        os.mkdir(copy, 0o755)
        if place == "/etc":
            # A lock file of another program may vanish meanwhile.
            run("cp", "-a", place + "/.", copy, check=False)
        run("mount", "--bind", copy, place)
    run("ip", "link", "set", "lo", "up")


class Inside:
    """For a test case: runs functions in a process with namespaces of its own."""

    def inside(self, body):
        with tempfile.TemporaryDirectory(prefix="martlet-installed-") as folder:
            os.chmod(folder, 0o755)
            reader, writer = os.pipe()
            child = os.fork()
            if child == 0:
                try:
                    body(folder)
                    os.write(writer, b"ok")
                except OSError as error:
                    os.write(writer, ("skip %s" % error if "unshare" in str(error) else traceback.format_exc()).encode())
                except BaseException:
                    os.write(writer, traceback.format_exc().encode()[-60000:])
                os._exit(0)
            os.close(writer)
            with open(reader, errors="replace") as answer:
                said = answer.read()
            os.waitpid(child, 0)
        if said.startswith("skip"):
            self.skipTest(said)
        self.assertEqual(said, "ok")
