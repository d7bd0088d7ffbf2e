"""How many requests a second a scenario's client makes. One that could not keep its pace has proven nothing; the next attempt asks
for what it could carry: a slow machine shows the same with less, and says so."""

LEAST = 10  # requests a second; fewer show nothing


class ClientRate:
    def __init__(self):
        self.most = float("inf")

    def of(self, wanted):
        return min(float(wanted), self.most)

    def lower(self, reached):
        """After a client that reached only so many."""
        self.most = max(LEAST, reached / 2)


current = ClientRate()  # of the scenario that runs


def begin():
    """With each scenario: what slowed the last one down may be over."""
    global current
    current = ClientRate()


def self_test():
    rate = ClientRate()
    assert rate.of(200) == 200
    rate.lower(100)
    assert rate.of(200) == 50 and rate.of(30) == 30
    rate.lower(8)
    assert rate.of(200) == LEAST


if __name__ == "__main__":
    self_test()
