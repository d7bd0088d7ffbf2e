#!/usr/bin/env python3
"""COUNT connections to ADDRESS PORT, on each of which something is said twice a second, until it ends. Prints "pod3 open" for
each, and "pod3 12345.678 closed", or "pod3 12345.678 error: Connection reset by peer", when it ends (by the monotonic
clock, which all processes share).    keepers.py ADDRESS PORT COUNT"""
import asyncio
import sys
import time

PATIENCE = 5  # seconds for an answer


async def keep(address, port):
    who = "nobody"
    try:
        reader, writer = await asyncio.wait_for(asyncio.open_connection(address, port), PATIENCE)
        writer.write(b"HOLD")
        who = (await asyncio.wait_for(reader.readline(), PATIENCE)).decode().strip()
        print(f"{who} open", flush=True)
        end = "closed"
        while True:
            writer.write(b"ping")
            if not await asyncio.wait_for(reader.read(100), PATIENCE):
                break
            await asyncio.sleep(0.5)
    except asyncio.TimeoutError:
        end = "error: no answer"
    except OSError as error:
        end = f"error: {error.strerror or error}"
    print(f"{who} {time.monotonic():.3f} {end}", flush=True)


async def keep_all(address, port, count):
    await asyncio.gather(*(keep(address, port) for _ in range(count)))


asyncio.run(keep_all(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
