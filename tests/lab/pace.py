"""How much longer things take here and now than on the machine that the rings' deadlines were written for, when it has nothing
else to do: one factor for all deadlines.

A fixed piece of work is timed. In the virtual machine the host's share of the slowness cannot be seen as such, so the host tells its
factor (LAB_PACE) and the machine times the same work when it starts: from then on both know what it should take."""
import os
import time

USUAL = 0.035  # seconds, of the work below on the machine for which the deadlines were written
MOST = 20  # a deadline that is stretched further would only hide that nothing happens


def work():
    """Seconds that it takes, of three times."""
    start = time.perf_counter()
    total = 0
    for number in range(3 * 600_000):
        total += number & 7
    return (time.perf_counter() - start) / 3


def bounded(factor):
    return max(1.0, min(float(MOST), factor))


class Pace:
    """`told`: by the host, in its virtual machine; None on the machine itself."""

    def __init__(self, told=None, clock=work):
        self.clock = clock
        self.usual = clock() / told if told else USUAL
        self.factor = 1.0
        self.measure()

    def measure(self):
        """The factor as it is now; `factor` is the largest that has been seen."""
        now = bounded(self.clock() / self.usual)
        self.factor = max(self.factor, now)
        return now

    def stretched(self, seconds):
        return seconds * self.factor


HERE = []  # one, when it is first asked for


def pace():
    if not HERE:
        HERE.append(Pace(float(os.environ["LAB_PACE"]) if "LAB_PACE" in os.environ else None))
    return HERE[0]


def stretched(seconds):
    return pace().stretched(seconds)


def self_test():
    took = iter([USUAL, USUAL / 2, 10 * USUAL, 2 * USUAL, 300 * USUAL])
    one = Pace(None, lambda: next(took))
    assert one.factor == 1.0 and one.stretched(10) == 10, one.factor
    assert one.measure() == 1.0
    assert abs(one.measure() - 10) < 1e-9 and abs(one.stretched(2) - 20) < 1e-9
    assert abs(one.measure() - 2) < 1e-9 and one.factor > 9  # what has begun slowly is given its time
    assert one.measure() == MOST
    emulated = iter([1.2, 1.2, 3.6])  # on a host that was four times as slow as usual
    two = Pace(4.0, lambda: next(emulated))
    assert abs(two.factor - 4.0) < 1e-9 and abs(two.measure() - 12.0) < 1e-9


if __name__ == "__main__":
    self_test()
    print(f"pace: {work() * 1000:.0f} ms, factor {pace().factor:.1f}")
