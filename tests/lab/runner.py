"""Finds and runs scenarios: functions that begin with "it_" and are given a world of their own."""
import faulthandler
import importlib.util
import subprocess
import sys
import time
import traceback

import client_rate
from lab import TooSlow
from pace import stretched

ATTEMPTS = 3  # when the machine is too busy
ALWAYS = ("a_", "b_", "c_", "e_contract", "f_draining")  # those that `--turn` never leaves out
STUCK = 600  # seconds; a scenario that takes longer says where it is


def scenarios(folder):
    """Those of all files of the folder, in the order in which they stand. A file may import from its neighbours."""
    sys.path.insert(0, str(folder))
    found = []
    for path in sorted(folder.glob("*.py")):
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        names = [name for name in vars(module) if name.startswith("it_")]
        found += [(f"{path.stem}.{name[3:]}", getattr(module, name)) for name in names]
    return found


def run(name, scenario, new_world, attempt=1):
    start = time.monotonic()
    again = False
    if attempt == 1:
        client_rate.begin()
    faulthandler.dump_traceback_later(stretched(STUCK), repeat=True, file=sys.stdout)
    with new_world() as world:
        try:
            scenario(world)
        except TooSlow as error:
            print(f"      {name}, attempt {attempt}: {error}", flush=True)
            if attempt == ATTEMPTS:
                print(f"FAIL  {name}  {time.monotonic() - start:.1f} s: the machine is too slow", flush=True)
                return False
            again = True
        except Exception as error:  # the state is worth more than the trace
            print(f"FAIL  {name}  {time.monotonic() - start:.1f} s: {error}")
            traceback.print_exc(limit=-2, file=sys.stdout)
            print(world.describe(), flush=True)
            return False
    if again:
        return run(name, scenario, new_world, attempt + 1)
    print(f"ok    {name}  {time.monotonic() - start:.1f} s", flush=True)
    return True


def run_safely(name, scenario, new_world):
    """False, too, when the world could not be made: the others are still run and counted."""
    try:
        return run(name, scenario, new_world)
    except Exception as error:
        print(f"FAIL  {name}: its world: {error}", flush=True)
        return False


def of_turn(names, turn):
    """Those of a turn, "0/3" for the first of three: of what is not run each time every third one."""
    mine, turns = map(int, turn.split("/"))
    others = [name for name in names if not name.startswith(ALWAYS)]
    left_out = {name for place, name in enumerate(others) if place % turns != mine % turns}
    return [name for name in names if name not in left_out]


def main(ring, folder, new_world, arguments):
    """Runs all scenarios or those whose names are among the arguments; `--turn=I/N`: an Nth of them; the exit status."""
    wanted = [argument for argument in arguments if not argument.startswith("--")]
    chosen = [(name, scenario) for name, scenario in scenarios(folder)
              if not wanted or any(name.startswith(w) or "." + w in name for w in wanted)]
    for turn in (argument.removeprefix("--turn=") for argument in arguments if argument.startswith("--turn=")):
        kept = of_turn([name for name, _ in chosen], turn)
        print(f"{ring}: turn {turn}: {len(kept)} of {len(chosen)} scenarios")
        chosen = [(name, scenario) for name, scenario in chosen if name in kept]
    if "--list" in arguments:
        print("\n".join(f"{name}: {(scenario.__doc__ or '').strip()}" for name, scenario in chosen))
        return 0
    if not chosen:
        sys.exit(f"no scenario is called {' or '.join(wanted)}; --list shows them")
    subprocess.run(["modprobe", "-a", "ip_vs", "dummy"], check=False)
    results = [run_safely(name, scenario, new_world) for name, scenario in chosen]
    print(f"{ring}: {results.count(True)} passed, {results.count(False)} failed")
    return 0 if all(results) else 1
