"""The unmodified programs with something before them: a folder of scripts that start each under LD_PRELOAD or a variable.

The supervisor passes no environment on, and finds the programs beside itself; so the folder holds `mailctl` and a script for
each program that is to run in a changed world.
"""
import os
import shlex
import shutil
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAMS = ("smtpd", "queued", "locald", "remoted", "pop3d", "imapd", "mailctl", "sendmail")


def compiled(source, folder, shared=True):
    """Compiles one C file of the laboratory into `folder`; the path of what came out."""
    name = os.path.splitext(source)[0]
    out = os.path.join(folder, name + ".so" if shared else name)
    compiler = shutil.which("cc") or shutil.which("clang")
    flags = ["-shared", "-fPIC", "-ldl"] if shared else []
    subprocess.run([compiler, "-O2", "-Wall", "-Wextra", "-Werror", "-o", out, os.path.join(HERE, source), *flags], check=True)
    os.chmod(out, 0o755)
    return out


def programs(binaries, folder, environment):
    """Fills `folder` with the programs of `binaries`; `environment` maps a program to the variables that it gets."""
    os.makedirs(folder, exist_ok=True)
    os.chmod(folder, 0o755)
    for name in PROGRAMS:
        path, target = os.path.join(folder, name), os.path.join(binaries, name)
        if os.path.lexists(path):
            os.unlink(path)
        if name in environment:
            words = " ".join("%s=%s" % (key, shlex.quote(value)) for key, value in environment[name].items())
            with open(path, "w") as script:
                script.write("#!/bin/sh\nexec env %s %s \"$@\"\n" % (words, shlex.quote(target)))
            os.chmod(path, 0o755)
        else:
            # A program looks for its neighbours beside its own file: a link would lead it to the folder that it is linked to.
            try:
                os.link(target, path)
            except OSError:
                shutil.copy2(target, path)
    return folder
