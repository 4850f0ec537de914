"""Attacks by number: many connections that do nothing, that dawdle, that come and go, that never read."""

import time

from framing import big_object, png
from kit import attack, head, hold, put, tally

# What 2,000 resting connections may cost, in resident MB of the server.
MOST_IDLE_MB = 40


def rested(ctx, links, seconds):
    """Lets them be; returns how many the server has closed meanwhile."""
    time.sleep(seconds)
    closed = 0
    for link in links:
        link.socket.setblocking(False)
        try:
            closed += link.socket.recv(1, 2) == b""  # 2 is MSG_PEEK: an answer is left to be read.
        except BlockingIOError:
            pass
        except OSError:
            closed += 1
        link.socket.settimeout(20)
    return closed


@attack("2,000 idle connections")
def idle(ctx):
    links = [ctx.link() for _ in range(2000)]
    closed = rested(ctx, links, 2 if ctx.quick else 5)
    threads, _, rss = ctx.server.figures()
    places = ctx.server.places
    if places >= 2100:
        hold(closed == 0 and threads >= 2000, f"{closed} closed, {threads} threads")
        hold(rss <= MOST_IDLE_MB, f"{rss:.0f} MB for 2,000 idle connections, not {MOST_IDLE_MB}")
    else:
        hold(2000 - closed <= places, f"{2000 - closed} connections in {places} places")
    return f"{2000 - closed} kept in {rss:.0f} MB, {closed} closed for others"


@attack("2,000 connections, idle after a request each")
def idle_after(ctx):
    links = [ctx.link() for _ in range(2000)]
    for link in links:
        link.send(head("GET", "/healthz"))
    outcomes = [str(answer.status) if (answer := link.answer()) else "closed" for link in links]
    # Where there are fewer places, who rests makes room.
    ctx.expect(outcomes, {"200", "closed"} if ctx.server.places < 2100 else {"200"})
    time.sleep(1)
    return f"{tally(outcomes)}; {ctx.server.figures()[2]:.0f} MB"


def trickle(ctx, links, seconds):
    """Sends a byte a second on each."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        turn = time.monotonic()
        for link in links:
            link.send(b"a")
        time.sleep(max(0, turn + 1 - time.monotonic()))


@attack("500 heads at a byte a second")
def slow_heads(ctx):
    links = [ctx.link() for _ in range(500)]
    for link in links:
        link.send(b"GET / HTTP/1.1\r\nHost: a\r\nX: ")
    trickle(ctx, links, 2 if ctx.quick else 12)
    if ctx.quick:
        return "held for a moment"
    outcomes = [" ".join(link.rest()) for link in links]
    ctx.expect(outcomes, {"408"})
    return tally(outcomes)


@attack("half a head on more connections than there are places")
def half_heads(ctx):
    wanted = ctx.server.places + 200
    links = []
    for _ in range(wanted):
        links.append(ctx.link())
        links[-1].send(b"GET / HT")
    closed = rested(ctx, links, 2)
    return f"{wanted - closed} kept, {closed} closed for others"


@attack("200 bodies at a byte a second")
def slow_bodies(ctx):
    links = [ctx.link() for _ in range(200)]
    for link in links:
        link.send(head("PUT", "/x", "Content-Length: 100000"))
    trickle(ctx, links, 2 if ctx.quick else 12)
    if ctx.quick:
        return "held for a moment"
    outcomes = [" ".join(link.rest()) for link in links]
    ctx.expect(outcomes, {"408"})
    return tally(outcomes)


@attack("10,000 requests, each on a new connection")
def churn(ctx):
    outcomes = []
    for _ in range(ctx.much(10_000)):
        answer = ctx.ask(head("GET", "/healthz", "Connection: close"))
        outcomes.append(str(answer.status))
    ctx.expect(outcomes, {"200"})
    return tally(outcomes)


@attack("2,000 connections from one address")
def one_address(ctx):
    links = [ctx.link("127.0.0.2") for _ in range(2000)]
    outcomes = []
    for link in links:
        link.send(head("GET", "/healthz"))
    for link in links:
        answer = link.answer()
        outcomes.append("closed" if answer is None else str(answer.status))
    hold(outcomes.count("200") <= ctx.server.places // 4, f"{outcomes.count('200')} in {ctx.server.places} places")
    ctx.expect(outcomes, {"200", "429", "closed"})
    return tally(outcomes)


@attack("100 readers of 2 MB that never read")
def unread_answers(ctx):
    path = big_object(ctx)
    links = [ctx.link() for _ in range(100)]
    for link in links:
        link.socket.setsockopt(1, 8, 4096)  # SO_RCVBUF
        link.send(head("GET", path))
    time.sleep(2 if ctx.quick else 12)
    return f"{ctx.server.figures()[2]:.0f} MB meanwhile"


@attack("60 bodies of 8 MB, none of which ends")
def bodies(ctx):
    count = ctx.much(60)
    body = bytes(8 << 20)
    links = [ctx.link() for _ in range(count)]
    for link in links:
        hold(link.send(head("PUT", "/x", f"Content-Length: {60 << 20}") + body), "not taken")
    rss = ctx.server.figures()[2]
    return f"{count * 8} MB taken, {rss:.0f} MB resident"


@attack("uploads of 65 MB, declared and in chunks")
def too_large(ctx):
    outcomes = []
    piece = b"100000\r\n" + bytes(1 << 20) + b"\r\n"
    for _ in range(ctx.much(6)):
        outcomes.append(str(ctx.ask(head("PUT", "/x", f"Content-Length: {65 << 20}") + bytes(1 << 20)).status))
        link = ctx.link()
        link.send(head("PUT", "/x", "Transfer-Encoding: chunked"))
        while link.send(piece) and not link.unread:
            link.socket.setblocking(False)
            try:
                link.unread = link.socket.recv(65536)
            except BlockingIOError:
                pass
            link.socket.settimeout(20)
        outcomes.append(str(link.answer().status))
        ctx.drop(link)
    ctx.expect(outcomes, {"413"})
    return tally(outcomes)


@attack("100 uploads at once, given up by a reset before the answer")
def given_up(ctx):
    body = png(300, 300)
    for _ in ctx.turns(most=5):
        links = [ctx.link() for _ in range(100)]
        for link in links:
            link.send(put(body))
        for link in links:
            link.reset()
            ctx.links.remove(link)
    return "nothing"
