"""Modules of the kernel: unloaded, and not loaded again behind a scenario's back."""
import contextlib
import pathlib

from lab import run, wait_until

LOADER = pathlib.Path("/proc/sys/kernel/modprobe")
MODULES = pathlib.Path("/sys/module")


@contextlib.contextmanager
def nothing_is_loaded():
    """The kernel loads no module when somebody asks for what it has."""
    before = LOADER.read_text()
    LOADER.write_text("/bin/false")
    try:
        yield
    finally:
        LOADER.write_text(before)


def unload(module):
    """With those that need it, which namespaces that are just being removed may use for a moment."""
    place = MODULES / module

    def is_gone():
        if place.exists():
            for user in (place / "holders").iterdir():
                unload(user.name)
            run(["rmmod", module], check=False)
        return not place.exists()

    wait_until(f"the module {module} is unloaded (somebody uses it: then this needs the virtual machine)", is_gone, 30)
