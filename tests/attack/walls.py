"""A server between walls: few descriptors, little address space, its end. Each row has a server of its own."""

import resource
import time

from crowds import rested
from framing import png
from kit import Context, form, head, hold, part, put
from server import GOOD, PICTURE, Server

WALLS = []


def wall(title, settings=(), **limits):
    """Registers a row with these limits of the operating system, by their names in `resource`."""
    def set_limits():
        for name, value in limits.items():
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (value, value))

    def register(function):
        WALLS.append((title, settings, set_limits, function))
        return function
    return register


def takes_uploads(ctx, patience=20):
    """Waits until an upload is taken; how long that took, in seconds."""
    began = time.monotonic()
    while True:
        ctx.server.alive()
        try:
            answer = ctx.ask(form(part(PICTURE)), source=GOOD)
            if answer is not None and answer.status == 202:
                return time.monotonic() - began
        except OSError:
            pass
        hold(time.monotonic() - began < patience, "no upload is taken afterwards")
        time.sleep(0.1)


def flood(ctx):
    """Connections without end, some at work, then none."""
    links = [ctx.link() for _ in range(300)]
    for number, link in enumerate(links):
        link.send(put(PICTURE) if number % 3 == 0 else b"GET / HT")
    time.sleep(1)
    during = ctx.server.figures()
    ctx.end()
    return during


@wall("64 descriptors, 300 connections", NOFILE=64)
def few(ctx):
    takes_uploads(ctx)
    during = flood(ctx)
    return f"uploads again after {takes_uploads(ctx):.1f} s", during


@wall("40 descriptors, 300 connections", NOFILE=40)
def fewer(ctx):
    takes_uploads(ctx)
    during = flood(ctx)
    return f"uploads again after {takes_uploads(ctx):.1f} s", during


@wall("300 MB of address space, 2,000 connections and 40 bodies of 4 MB", AS=300 << 20)
def little_space(ctx):
    takes_uploads(ctx)
    links = [ctx.link() for _ in range(2000)]
    rested(ctx, links, 1)
    during = ctx.server.figures()
    ctx.end()
    takes_uploads(ctx)
    links = [ctx.link() for _ in range(40)]
    for link in links:
        link.send(head("PUT", "/x", f"Content-Length: {60 << 20}") + bytes(4 << 20))
    ctx.end()
    takes_uploads(ctx)
    links = [ctx.link() for _ in range(60)]
    body = png(300, 300)
    for link in links:
        link.send(put(body, "Connection: close"))
    taken = [answer.status for link in links if (answer := link.answer())]
    ctx.end()
    hold(set(taken) <= {202, 503} and 202 in taken, f"{taken}")
    return f"{taken.count(202)} of 60 uploads at once taken; uploads afterwards after {takes_uploads(ctx):.1f} s", during


@wall("SIGTERM with 500 idle, 50 half heads and 20 uploads in flight")
def end(ctx):
    takes_uploads(ctx)
    idle = [ctx.link() for _ in range(500)]
    halves = [ctx.link() for _ in range(50)]
    for link in halves:
        link.send(b"GET /healthz HTTP/1.1\r\n")
    uploads = [ctx.link() for _ in range(20)]
    body = form(part(PICTURE))
    for link in uploads:
        link.send(body[:-100])
    time.sleep(1)
    during = ctx.server.figures()
    began = time.monotonic()
    ctx.server.process.terminate()
    time.sleep(0.5)
    hold(rested(ctx, idle, 0) == len(idle), "an idle connection stays open")
    for link in uploads:
        link.send(body[-100:])
    for link in halves:
        link.send(b"Host: a\r\n\r\n")
    hold(all(link.answer().status == 202 for link in uploads), "an upload in flight is not finished")
    hold(all(link.answer().status == 503 for link in halves), "a request in flight is not answered")
    ctx.end()
    hold(ctx.server.process.wait(30) == 0, f"exit code {ctx.server.process.returncode}")
    return f"all finished, exit 0 after {time.monotonic() - began:.1f} s", during


def run_all(program, scale, report):
    """Runs all rows; `report` is told each row and, where it did not hold, why."""
    for title, settings, limits, function in WALLS:
        server = Server(program, settings, limits)
        ctx = Context(server, scale)
        before = server.figures()
        try:
            answered, during = function(ctx)
            after = server.figures() if server.process.poll() is None else None
            server.check_log()
            report(title, answered, before, during, after, None)
        except Exception as error:  # Whatever it is, the row did not hold.
            report(title, "", before, before, None, f"{type(error).__name__}: {error}")
        finally:
            ctx.end()
            server.remove()
