"""Progress, failures that say what to do, and running other programs."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time


class SetupError(Exception):
    """Something the user can mend: what happened, and what to do about it."""

    def __init__(self, problem: str, remedy: str = "", code: int = 1):
        super().__init__(problem)
        self.remedy = remedy
        self.code = code


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


@contextlib.contextmanager
def step(title: str):
    """Announce work that may take a while, and how long it took."""
    say(f"• {title} …")
    started = time.monotonic()
    yield
    say(f"  done in {time.monotonic() - started:.1f} s")


def run(command, *, remedy: str = "", **options) -> str:
    """Run a program quietly; when it fails, raise with the end of what it said."""
    command = [str(part) for part in command]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True, **options
    )
    if done.returncode:
        tail = "\n".join(done.stdout.strip().splitlines()[-15:])
        raise SetupError(f"`{' '.join(command[:6])}` ended with code {done.returncode}:\n{tail}", remedy)
    return done.stdout


def foreground(command, **options) -> int:
    """Run a program on this terminal to its end; answer its exit code.

    Ctrl-C reaches it by itself, a `kill` is passed on; either way it ends in its own time before we go on.
    """
    child = subprocess.Popen([str(part) for part in command], **options)
    before = {
        signal.SIGINT: signal.signal(signal.SIGINT, signal.SIG_IGN),
        signal.SIGTERM: signal.signal(signal.SIGTERM, lambda *_: child.terminate()),
    }
    try:
        return child.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def lock(path, *, shared: bool = False, wait: bool = False):
    """Hold a file against other processes; BlockingIOError when one of them holds it."""
    with open(path, "w") as file:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB))
        yield


def main(entry) -> None:
    """Run a command's entry point; turn failures into a message and an exit code."""
    # A plain `kill` and a closed terminal clean up like Ctrl-C.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _frame: sys.exit(128 + number))
    try:
        sys.exit(entry(sys.argv[1:]))
    except SetupError as error:
        say(f"\n✗ {error}")
        if error.remedy:
            say(f"  → {error.remedy}")
        sys.exit(error.code)
    except KeyboardInterrupt:
        say("\nInterrupted.")
        sys.exit(130)


def as_root() -> bool:
    return os.geteuid() == 0
