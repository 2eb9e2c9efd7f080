"""What the processes that an engine starts load, and how they end: every command waits for both."""

import signal
import subprocess
import sys

import pytest

PROVIDER = """
import signal, sys
from threading import Event, Thread
signal.signal(signal.SIGINT, signal.default_int_handler)  # where the tests run in the background it is ignored
from topology.deploy.registration import RegistrationProvider

props = {"owner": "site/s1/unit-dgx-0001", "inventory": {"kind": "sqlite", "path": sys.argv[1]}}
request = Thread(target=RegistrationProvider().read, args=("", props))  # the engine asks in threads
request.start()
request.join()
assert "polars" in sys.modules
print("waiting", flush=True)
Event().wait()
"""


def test_a_program_that_has_nothing_to_write_does_without_tables():
    code = "import sys, topology.deploy.components, topology.deploy.gates; print({'polars', 'numpy'} & {*sys.modules})"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert ran.stdout == "set()\n"


@pytest.mark.skipif(sys.platform == "win32", reason="the engine sends another signal there")
def test_a_provider_that_has_read_the_inventory_ends_when_the_engine_asks(tmp_path):
    words = [sys.executable, "-c", PROVIDER, tmp_path / "inventory.sqlite"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as provider:
        assert provider.stdout.readline() == "waiting\n"
        provider.send_signal(signal.SIGINT)
        try:
            _, said = provider.communicate(timeout=60)
        finally:
            provider.kill()
    assert said.endswith("KeyboardInterrupt\n")
