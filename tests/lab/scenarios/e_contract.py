"""What the unit ring believes of the kernel is what the kernel does."""
from lab import Failure


def it_refuses_what_the_fake_kernel_refuses(lab):
    """tests/lab/contract.cpp: the same changes to both, the same errors, the same state."""
    lab.ip("netns add contract\n")
    try:
        lab.ip("link set lo up\n", "contract")
        lines = lab.on("contract", "lab-contract", check=False).splitlines()
    finally:
        lab.ip("netns del contract\n")
    different = [line for line in lines if not line.startswith("ok ")]
    if different or len(lines) < 80:
        raise Failure("\n".join(different) or f"only {len(lines)} rows")
    if not any("65,537" in line for line in lines):
        raise Failure("no large set was tried")
