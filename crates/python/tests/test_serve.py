"""`persea serve` of the package's entry point, against the package itself."""

import json
import subprocess
import sys
import urllib.request

import pytest


@pytest.fixture
def ask(encoded):
    """Asks the API of a server of the database."""
    line = [sys.executable, "-m", "persea", "serve", encoded.path, "--port", "0"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as server:
        try:
            address = server.stdout.readline().strip()
            assert address.startswith("http://127.0.0.1:"), address

            def ask(path):
                with urllib.request.urlopen(address.rstrip("/") + path, timeout=60) as response:
                    return response.read().decode()

            yield ask
        finally:
            server.terminate()


def test_the_entry_point_serves_the_api(encoded, ask):
    info = json.loads(ask("/api/v1/info"))
    assert (info["tracks"], info["genes"]) == (len(encoded.tracks()), len(encoded.genes()))
    answer = json.loads(ask("/api/v1/similar?position=chr1:50,000&k=3&exclude=2000&explain=true&weights=5kbp=0.5"))
    hits = encoded.similar("chr1:50,000", k=3, exclude=2_000, explain=True, weights={"5kbp": 0.5}).to_dicts()
    assert [hit["start"] for hit in answer["hits"]] == [hit["start"] for hit in hits]
    for hit, row in zip(answer["hits"], hits, strict=True):
        assert hit["distance"] == pytest.approx(row["distance"])
        assert hit["explanation"]["resolutions"]["25bp"] == pytest.approx(row["share_25bp"])
