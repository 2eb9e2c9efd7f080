"""How a server is named in the configuration, and what an address that is none of it says."""

import http.server
import ssl
import subprocess
import sys
import threading

import pytest

from topology.deploy.inventory import InventoryError, open_inventory

URL = "http://127.0.0.1:9"  # nothing listens on the discard port


KINDS = {"nautobot": "Nautobot", "netbox": "NetBox"}


@pytest.fixture
def token(monkeypatch):
    """A token in the environment under its usual names."""
    for kind in KINDS:
        monkeypatch.setenv(f"{kind.upper()}_TOKEN", "0123456789" * 4)
    return "0123456789" * 4


def refused(config, *, kind="nautobot", ask=False):
    """The one line with which a configuration is refused, or the server behind it."""

    def call():
        inventory = open_inventory({"kind": kind, **config})
        if ask:
            inventory.token("lab/unit-0")

    with pytest.raises(InventoryError) as error:
        call()
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({}, "'' is no address of a nautobot; write url: https://host"),
        ({"url": "nautobot.example"}, "'nautobot.example' is no address"),
        ({"url": URL, "token": "s3cret"}, "nautobot takes no token in the configuration, which is stored and shown"),
        ({"url": URL, "tokenenv": "X"}, "nautobot knows no key tokenenv; it takes kind, url, token_env"),
        ({"url": "ftp://u:s3cret-word@host"}, "'ftp://********@host' is no address"),
        ({"url": "https://[host"}, "is no address of a nautobot"),
        ({"url": "https://u:s3cret@"}, "is no address of a nautobot"),
        ({"url": URL, "token_file": "/a\0b"}, "the token cannot be read from /a\\x00b"),
        ({"url": URL, "token_file": "/"}, "the token cannot be read from /"),
        ({"url": URL, "ca_file": "/a\0b"}, "no file /a"),
        ({"url": URL, "site": 7}, "site is no text"),
        ({"url": URL, "token_env": "NOT_SET_HERE"}, "the environment has no NOT_SET_HERE; export NOT_SET_HERE=…"),
        ({"url": URL, "token_file": "/nowhere/token"}, "the token cannot be read from /nowhere/token"),
        ({"url": URL, "ca_file": "/nowhere/ca.pem"}, "no file /nowhere/ca.pem"),
    ],
)
@pytest.mark.usefixtures("token")
def test_a_wrong_configuration_is_refused_in_one_line(config, says):
    said = refused(config)
    assert says in said
    assert "s3cret" not in said


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.usefixtures("token")
def test_a_server_that_is_not_there_is_said_so(kind):
    said = refused({"url": URL}, kind=kind, ask=True)
    assert f"{KINDS[kind]} at {URL} cannot be reached, reading extras/custom-fields" in said


@pytest.mark.parametrize("kind", KINDS)
def test_the_token_is_in_no_text_of_the_inventory(token, kind):
    inventory = open_inventory({"kind": kind, "url": URL})
    assert token not in repr(vars(inventory))
    assert token not in refused({"url": URL}, kind=kind, ask=True)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.usefixtures("token")
def test_an_address_is_told_without_its_user_and_without_a_token_in_it(kind):
    said = refused({"url": "http://user:hunter2-word@127.0.0.1:9/x?token=hunter2-word"}, kind=kind, ask=True)
    assert "at http://********@127.0.0.1:9/x?token=******** cannot be reached" in said
    assert "hunter2" not in said


@pytest.mark.parametrize("kind", KINDS)
def test_a_token_of_the_configuration_comes_beside_it_and_is_in_no_text(kind, monkeypatch):
    monkeypatch.delenv(f"{kind.upper()}_TOKEN", raising=False)
    inventory = open_inventory({"kind": kind, "url": URL}, "hunter2-word")
    assert "hunter2" not in repr(vars(inventory))
    with pytest.raises(InventoryError) as error:
        inventory.token("lab/unit-0")
    assert "hunter2" not in str(error.value)


@pytest.fixture
def stranger(tmp_path):
    """An HTTPS server that signed its own certificate and answers with a web page; address and certificate."""
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    words = ["-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate]
    subprocess.run(["openssl", "req", *words, *names], check=True, capture_output=True)
    server = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}", str(certificate)
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.usefixtures("token")
def test_a_certificate_that_nobody_vouches_for_is_refused_and_an_authority_may_be_named(stranger, kind):
    url, certificate = stranger
    said = refused({"url": url}, kind=kind, ask=True)
    assert f"{KINDS[kind]} at {url} has a certificate that is not trusted; name its authority: ca_file" in said
    assert "(404)" in refused({"url": url, "ca_file": certificate}, kind=kind, ask=True)  # trusted, and no such server


WITHOUT = """
import sys
sys.modules["py{kind}"] = None
from topology.deploy.inventory import InventoryError, open_inventory
try:
    open_inventory({{"kind": "{kind}", "url": "http://127.0.0.1:9"}})
except InventoryError as error:
    print(error)
"""


@pytest.mark.parametrize("kind", KINDS)
def test_a_missing_package_is_said_with_what_to_install(kind):
    program = WITHOUT.format(kind=kind)
    said = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
    assert said == f'inventory: {kind} needs the package py{kind}; run: pip install "cluster-topology[{kind}]"\n'
