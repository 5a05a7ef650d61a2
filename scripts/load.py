"""Loads `persea serve` and measures it: load.py PROGRAM DATABASE [MINUTES]

PROGRAM is the program built with the server, or `python -m persea` in quotes. Prints one JSON object. Fails where an
answer is neither 200 nor, under more requests than there are turns, 503; where memory after MINUTES (2 by default) of
random requests is over 5 % above what it was before; or where slow and dead clients hold anything. Linux only:
memory and open files are read from /proc.
"""
import concurrent.futures
import json
import os
import random
import shlex
import socket
import statistics
import subprocess
import sys
import time
import urllib.parse
import urllib.request

PROGRAM, DATABASE = shlex.split(sys.argv[1]), sys.argv[2]
MINUTES = float(sys.argv[3]) if len(sys.argv) > 3 else 2.0
SPAN = 200_000
draw = random.Random(1)


def fail(why):
    sys.exit(f"load: {why}")


began = time.monotonic()
server = subprocess.Popen([*PROGRAM, "serve", DATABASE, "--port", "0"], stdout=subprocess.PIPE, text=True)
address = server.stdout.readline().strip()
host, port = urllib.parse.urlparse(address).netloc.split(":")


def get(path, **parameters):
    """Status, seconds and bytes of an answer."""
    query = urllib.parse.urlencode(parameters)
    start = time.monotonic()
    try:
        with urllib.request.urlopen(f"{address}api/v1/{path}?{query}", timeout=150) as answer:
            body, status = answer.read(), answer.status
    except urllib.error.HTTPError as error:
        body, status = error.read(), error.code
    return status, time.monotonic() - start, body


def answer(path, **parameters):
    status, _, body = get(path, **parameters)
    if status != 200:
        fail(f"{path} {parameters}: {status} {body[:200]}")
    return json.loads(body)


def memory():
    """Bytes of the server's own memory: anonymous pages. Mapped files are the system's cache."""
    with open(f"/proc/{server.pid}/status") as lines:
        for line in lines:
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
    fail("the kernel does not tell memory")


def n_sockets():
    folder = f"/proc/{server.pid}/fd"
    n = 0
    for name in os.listdir(folder):
        try:
            n += os.readlink(f"{folder}/{name}").startswith("socket:")
        except FileNotFoundError:
            pass
    return n


info = answer("info")
coverage = answer("coverage")
pairs = [(b, a, cell) for b, row in zip(coverage["biosamples"], coverage["experiments"]) for a, cell in zip(coverage["assays"], row)]
measured = [(b, a) for b, a, cell in pairs if cell["measured"]]
imputable = [(b, a) for b, a, cell in pairs if cell["imputable"]]
regions = [r for r in info["regions"] if r["end"] - r["start"] > 20_000]


def place():
    region = draw.choice(regions)
    span = min(SPAN, region["end"] - region["start"])
    start = draw.randrange(region["start"], region["end"] - span + 1)
    return region["chrom"], start, start + span


def pan():
    chrom, start, end = place()
    biosample, assay = draw.choice(measured)
    return get("signal", biosample=biosample, assay=assay, kind="measured", chrom=chrom, start=start, end=end, points=1000)


def tile():
    chrom, start, end = place()
    biosample, assay = draw.choice(imputable)
    return get("signal", biosample=biosample, assay=assay, kind="imputed", chrom=chrom, start=start, end=end, points=1000)


def similar():
    chrom, start, end = place()
    pictures = ",".join(f"{b}:{a}" for b, a in measured[:6])
    return get("similar", position=f"{chrom}:{(start + end) // 2}", k=10, pictures=pictures)


def quantiles(seconds):
    cuts = statistics.quantiles(seconds, n=20)
    return {"p50_ms": round(1000 * cuts[9], 1), "p95_ms": round(1000 * cuts[18], 1), "n": len(seconds)}


def timed(ask, n):
    seconds = []
    for _ in range(n):
        status, took, body = ask()
        if status != 200:
            fail(f"{ask.__name__}: {status} {body[:200]}")
        seconds.append(took)
    return quantiles(seconds)


kinds = [pan] + ([tile] if imputable else []) + ([similar] if info["models"] else [])
result = {"bins": info["bins"], "tracks": info["tracks"], "load": os.getloadavg()[0]}
if pan()[0] != 200:
    fail("a pan fails")
result["first_tracks_s"] = round(time.monotonic() - began, 2)
for kind in kinds:
    kind()  # what is opened once
    result[kind.__name__] = timed(kind, 60)

# Fifty users, each with one request after another.
until = time.monotonic() + 20
def user(_):
    seen = []
    while time.monotonic() < until:
        seen.append(draw.choice(kinds)()[:2])
    return seen
with concurrent.futures.ThreadPoolExecutor(50) as users:
    seen = [one for some in users.map(user, range(50)) for one in some]
if {status for status, _ in seen} - {200, 503}:
    fail(f"fifty users: {sorted({status for status, _ in seen})}")
result["fifty_users"] = quantiles([took for status, took in seen if status == 200]) | {"refused": sum(s == 503 for s, _ in seen)}

# A thousand at once.
start = time.monotonic()
with concurrent.futures.ThreadPoolExecutor(1000) as many:
    statuses = [status for status, *_ in many.map(lambda _: pan(), range(1000))]
if set(statuses) - {200, 503}:
    fail(f"a thousand at once: {sorted(set(statuses))}")
result["thousand_at_once"] = {"answered": statuses.count(200), "refused": statuses.count(503), "seconds": round(time.monotonic() - start, 1)}

# Random requests for minutes, after half as many minutes in which what is kept on purpose is filled.
def some(_):
    done = 0
    while time.monotonic() < until:
        draw.choice(kinds)()
        done += 1
    return done
def by_four(minutes):
    global until
    until = time.monotonic() + 60 * minutes
    with concurrent.futures.ThreadPoolExecutor(4) as users:
        return sum(users.map(some, range(4)))
by_four(MINUTES / 2)
before = memory()
n = by_four(MINUTES)
after = memory()
result["random_requests"] = {"minutes": MINUTES, "n": n, "before_mb": round(before / 1e6, 1), "after_mb": round(after / 1e6, 1)}
has_grown = after > 1.05 * before

# Clients that stop in the middle of a request, and clients that read nothing of a long answer.
idle = n_sockets()
head = f"GET /api/v1/bigwig/measured/{urllib.parse.quote(measured[0][0])}/{urllib.parse.quote(measured[0][1])}.bw HTTP/1.1\r\nHost: {host}:{port}\r\n"
clients = []
for i in range(250):
    client = socket.create_connection((host, int(port)))
    client.sendall((head[:20] if i < 200 else head + "\r\n").encode())
    clients.append(client)
time.sleep(1)
held = n_sockets() - idle
beside = timed(pan, 20)
give_up = time.monotonic() + 90
while n_sockets() > idle + 2 and time.monotonic() < give_up:
    time.sleep(1)
left = n_sockets() - idle
result["slow_clients"] = {"connections": held, "pan_beside_them": beside, "left_after_s": round(90 - (give_up - time.monotonic())), "left": left, "memory_mb": round(memory() / 1e6, 1)}
if left > 2:
    fail(f"slow clients hold connections: {result['slow_clients']}")
for client in clients:
    client.close()
server.terminate()
server.wait(20)
print(json.dumps(result, indent=1))
if has_grown:
    fail(f"memory grew: {result['random_requests']}")
