#!/usr/bin/env python3
"""Attacks `image-server` on loopback, while a good client uploads, and prints how it fared: `make attack`.

Each attack is bounded in number and time and ends by itself. The exit code is 1 if something did not hold.
Usage: run.py PROGRAM [--quick] [--only WORDS] [--out FOLDER]
"""

import argparse
import pathlib
import resource
import statistics
import sys
import time

sys.dont_write_bytecode = True

import crowds  # noqa: F401, E402
import framing  # noqa: F401, E402
import forms  # noqa: F401, E402
import kit  # noqa: E402
import objects  # noqa: F401, E402
import walls  # noqa: E402
from server import Good, Server  # noqa: E402

# What the server may hold with default settings, in resident MB, whatever comes.
MOST_MB = 200
# The same with 4,096 places.
MOST_MB_WIDE = 400
# The good client's median under attack may be so many times the quiet one.
MOST_FACTOR = 5

SETTINGS = [("default settings", 1024, {}, MOST_MB),
            ("SHARER_MAX_CONNECTIONS=4096", 4096, {"SHARER_MAX_CONNECTIONS": "4096"}, MOST_MB_WIDE)]

HEADINGS = ("attack", "the server's answer", "threads", "descriptors", "resident MB", "uploads meanwhile", "median ms")


class Table:
    """The rows of one setting, as Markdown; failures are collected beside it."""

    def __init__(self, title, failures):
        self.title, self.failures, self.lines = title, failures, []
        self.line(HEADINGS)
        self.line(["---"] * len(HEADINGS))

    def line(self, cells):
        self.lines.append("| " + " | ".join(cells) + " |")
        print(self.lines[-1], flush=True)

    def fail(self, attack, why):
        self.failures.append(f"{self.title}: {attack}: {why}")
        print(f"    DID NOT HOLD: {why}", flush=True)


def trio(before, peak, after):
    return " → ".join("–" if number is None else f"{number:.0f}" for number in (before, peak, after))


def run_attack(server, good, row, scale, most_mb):
    """Runs one attack between quiet uploads; returns the row's cells, what did not hold, and how many times longer
    than quiet ones the good client's uploads took.
    """
    title, function, traits = row
    ctx = kit.Context(server, scale)
    quiet = quiet_times(good)
    before, wrong, answered, report = server.figures(), [], "", None
    if traits.get("good", True):
        good.begin(least=5)
        # What is measured is the time under attack, not that before it.
        time.sleep(0.02)
    try:
        answered = function(ctx)
    except Exception as error:  # Whatever it is, the attack did not go as it should.
        wrong.append(f"{type(error).__name__}: {error}")
    if traits.get("good", True):
        report = good.end()
    ctx.end()
    try:
        server.alive()
        server.settled(before[1])
    except kit.Failed as error:
        wrong.append(str(error))
    after = server.figures()
    peak = (report["threads"], report["descriptors"], report["rss"]) if report else (None, None, None)
    cells = [title, answered, *[trio(*figures) for figures in zip(before, peak, after)]]
    if report is None:
        return cells + ["–", "–"], wrong, None
    if report["failures"]:
        wrong.append(f"good uploads failed: {kit.tally(report['failures'])}")
    if report["rss"] > most_mb:
        wrong.append(f"{report['rss']:.0f} MB resident, not {most_mb}")
    # Quiet is what lies round the attack: on a machine that does other things as well, it changes by the minute.
    usual = statistics.median(quiet + quiet_times(good))
    factor = report["median"] / usual
    cells += [str(len(report["times"])), f"{usual * 1e3:.1f} → {report['median'] * 1e3:.1f} (×{factor:.1f})"]
    return cells, wrong, factor


def quiet_times(good):
    """How long some uploads take now, in seconds."""
    good.begin(least=8)
    return good.end()["times"]


def attack_all(program, setting, scale, only, failures, slow):
    name, places, settings, most_mb = setting
    print(f"\n{name}: before → at the peak → after\n", flush=True)
    server = Server(program, settings)
    server.places = places
    table = Table(name, failures)
    good = Good(server)
    # The first in line: what memory they cost is measured in a server that has held nothing else.
    order = {"2,000 idle connections": 0, "2,000 connections, idle after a request each": 1}
    try:
        for row in sorted(kit.ATTACKS, key=lambda row: order.get(row[0], 2)):
            if only and only not in row[0]:
                continue
            cells, wrong, factor = run_attack(server, good, row, scale, most_mb)
            if factor is not None and factor >= MOST_FACTOR and not wrong:
                # What an attack does, it does again; what the machine did besides, it does not.
                cells, wrong, factor = run_attack(server, good, row, scale, most_mb)
                cells[0] += " (again)"
            table.line(cells)
            for why in wrong:
                table.fail(row[0], why)
            if factor is not None and factor >= MOST_FACTOR:
                slow.append(f"{name}: {row[0]}: uploads took ×{factor:.1f}")
            if server.process.poll() is not None:
                break
        lines = server.check_log()
        seconds = server.stop()
        print(f"\n{lines} lines of log, none forged; SIGTERM: exit 0 after {seconds:.1f} s", flush=True)
    except kit.Failed as error:
        table.fail("the end", str(error))
    finally:
        good.close()
        server.remove()
    return table


def between_walls(program, scale, failures):
    print("\nbetween walls: before → during → after\n", flush=True)
    table = Table("between walls", failures)

    def report(title, answered, before, during, after, wrong):
        figures = zip(before, during, after or (None,) * 3)
        table.line([title, answered, *[trio(*numbers) for numbers in figures], "–", "–"])
        if wrong:
            table.fail(title, wrong)
    walls.run_all(program, scale, report)
    return table


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("program", type=pathlib.Path)
    arguments.add_argument("--quick", action="store_true", help="default settings alone, and less of each")
    arguments.add_argument("--only", help="attacks whose title holds these words")
    arguments.add_argument("--out", type=pathlib.Path, help="a folder for attacks.md")
    arguments = arguments.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    needed = 3000 if arguments.quick else 8192
    if hard != resource.RLIM_INFINITY and hard < needed:
        sys.exit(f"the attackers need {needed} descriptors, and may have {hard}: raise the hard limit (ulimit -Hn)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
    program, scale = arguments.program.resolve(), 0.2 if arguments.quick else 1
    failures, slow, began = [], [], time.monotonic()
    tables = [attack_all(program, setting, scale, arguments.only, failures, slow)
              for setting in SETTINGS[:1 if arguments.quick else None]]
    if not arguments.only:
        tables.append(between_walls(program, scale, failures))
    print(f"\n{time.monotonic() - began:.0f} s in all")
    if arguments.out:
        arguments.out.mkdir(parents=True, exist_ok=True)
        text = "\n\n".join(f"### {table.title}\n\n" + "\n".join(table.lines) for table in tables)
        (arguments.out / "attacks.md").write_text(text + "\n")
    # On a machine that does other things as well, times say little: a quick run only tells of them.
    if not arguments.quick:
        failures += slow
    for line in slow if arguments.quick else []:
        print(f"slow: {line}")
    for line in failures:
        print(f"DID NOT HOLD: {line}")
    print("all held" if not failures else f"{len(failures)} did not hold")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
