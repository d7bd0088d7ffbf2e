"""What the benches print: "figure NAME VALUE UNIT", with its bound where it has one."""
import sys

broken = []  # names of figures whose bound does not hold


def figure(name, value, unit, at_most=None, at_least=None, digits=3, note=""):
    """`note` is what else is to be said of it."""
    said = []
    for word, bound, holds in (("at most", at_most, at_most is None or value <= at_most),
                               ("at least", at_least, at_least is None or value >= at_least)):
        if not holds:
            broken.append(name)
        if bound is not None:
            said.append(f"bound: {word} {round(bound, 3):g}{'' if holds else ': BROKEN'}")
    print(f"figure {name} {value:.{digits}f} {unit}" + "".join(f"   ({each})" for each in [*said, note] if each), flush=True)


def conclude():
    """Says which bounds do not hold; the bench's exit status, which takes that for a failure with --strict."""
    print(f"bench: {'all bounds hold' if not broken else 'broken bounds: ' + ', '.join(broken)}")
    return 1 if broken and "--strict" in sys.argv else 0
