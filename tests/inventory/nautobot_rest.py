"""Plain REST with a Nautobot."""

import requests


class Rest:
    """Plain REST, as anybody may speak it: no code of the inventory."""

    def __init__(self, url, token):
        self.url, self.session = url, requests.Session()
        self.session.headers["Authorization"] = f"Token {token}"

    def all(self, path, **filters):
        answer = self.session.get(f"{self.url}/api/{path}/", params={"limit": 0, "depth": 1, **filters}, timeout=120)
        answer.raise_for_status()
        return answer.json()["results"]

    def one(self, path, **filters):
        (found,) = self.all(path, **filters)
        return found

    def send(self, method, path, body=None):
        answer = self.session.request(method, f"{self.url}/api/{path}/", json=body, timeout=120)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def changes(self):
        """How many changes Nautobot has logged so far."""
        answer = self.session.get(f"{self.url}/api/extras/object-changes/", params={"limit": 1}, timeout=120)
        return answer.json()["count"]
