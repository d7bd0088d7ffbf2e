"""Objects of nftables that a neighbour on the host may have, made and read over netlink: nft(8) itself may not survive them.
Kernel: net/netfilter/nf_tables_api.c. Each function works in the network namespace of the calling thread."""
import socket
import struct

INET = 1
NFTABLES = 10 << 8
NEW_TABLE, GET_TABLE, NEW_CHAIN, GET_CHAIN, NEW_RULE, GET_RULE, DELETE_RULE, NEW_SET, GET_SET = 0, 1, 3, 4, 6, 7, 8, 9, 10
NEW_ELEMENTS, GET_ELEMENTS = 12, 13
REQUEST, ACK, DUMP, CREATE, APPEND = 1, 4, 0x300, 0x400, 0x800


def attribute(kind, data):
    return struct.pack("<HH", 4 + len(data), kind) + data + b"\0" * (-len(data) % 4)


def text(kind, word):
    return attribute(kind, word.encode() + b"\0")


def number(kind, value):
    return attribute(kind, struct.pack(">I", value))


def tlv(kind, data):
    return struct.pack("BB", kind, len(data)) + data


def message(kind, flags, sequence, body, family=INET, resource=0):
    data = struct.pack("BBH", family, 0, socket.htons(resource)) + body
    return struct.pack("<IHHII", 16 + len(data), kind, flags, sequence, 0) + data


def messages(data):
    while data:
        size, kind, _, sequence, _ = struct.unpack("<IHHII", data[:16])
        yield kind, sequence, data[16:size]
        data = data[(size + 3) & ~3:]


def netfilter():
    kernel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
    kernel.bind((0, 0))
    kernel.settimeout(20)
    return kernel


def transaction(*changes):
    """Each change: its kind, flags and attributes."""
    batch = message(16, REQUEST, 0, b"", 0, 10)
    for sequence, (kind, flags, body) in enumerate(changes, 1):
        batch += message(NFTABLES | kind, REQUEST | ACK | flags, sequence, body)
    batch += message(17, REQUEST, len(changes) + 1, b"", 0, 10)
    answered = 0
    with netfilter() as kernel:
        kernel.send(batch)
        while answered < len(changes):
            for kind, sequence, body in messages(kernel.recv(1 << 16)):
                error = -struct.unpack("<i", body[:4])[0]
                if error:
                    raise OSError(error, f"change {sequence} of the transaction")
                answered += 1


def listing(kind, body=b""):
    """The bodies of a dump's messages."""
    found = []
    with netfilter() as kernel:
        kernel.send(message(NFTABLES | kind, REQUEST | DUMP, 1, body))
        while True:
            for answer, _, data in messages(kernel.recv(1 << 18)):
                if answer == 3:  # NLMSG_DONE
                    return found
                if answer == 2:  # NLMSG_ERROR
                    raise OSError(-struct.unpack("<i", data[:4])[0], "dump")
                found.append(data)


def unknown_expression(kind):
    """User data of a set whose type is an expression: of a kind that nft may not know."""
    return tlv(0, struct.pack("<I", 2)) + tlv(3, tlv(0, struct.pack("<I", kind)) + tlv(1, tlv(0, struct.pack("<I", 1))))


def new_set(table, name, user_data):
    return NEW_SET, CREATE, (text(1, table) + text(2, name) + number(4, 41) + number(5, 16) + number(10, 1)
                             + attribute(13, user_data))


def make_odd_table(name):
    """What is legal and what nft would hardly write: user data of kinds to come, long names, rules without any sense."""
    long = "x" * 200
    rule = text(1, name) + text(2, long) + attribute(7, bytes(range(256)))
    transaction((NEW_TABLE, CREATE, text(1, name)), new_set(name, "later", unknown_expression(4)),
                new_set(name, "much_later", unknown_expression(200)), new_set(name, "torn", b"\x03\xff\x00"),
                new_set(name, long, b"\xff" * 256), (NEW_CHAIN, CREATE, text(1, name) + text(3, long)),
                (NEW_RULE, CREATE | APPEND, rule), (NEW_RULE, CREATE | APPEND, rule))


def remove_rules(table, chain):
    transaction((DELETE_RULE, 0, text(1, table) + text(2, chain)))


def tables():
    """Their names."""
    return sorted(body[8:4 + struct.unpack("<H", body[4:6])[0]].rstrip(b"\0").decode() for body in listing(GET_TABLE))


def everything_of(table):
    """What the kernel tells of its sets, chains and rules, to be compared. Of chains it tells those of all tables."""
    ours = text(1, table)
    return [[body[4:] for body in listing(kind, ours) if ours in body] for kind in (GET_SET, GET_CHAIN, GET_RULE)]  # less its generation
