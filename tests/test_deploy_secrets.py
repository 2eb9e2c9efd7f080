"""Messages of a deployment: what may be secret is not in them, all else is."""

import pytest

from topology.deploy.secrets import command_in_words, without_secrets


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("https://user:hunter2@host/x: 404", "https://********@host/x: 404"),
        ("https://user:hunt/er@2@host/x: 404", "https://********@host/x: 404"),
        ("ssh://git:a%40b@host: refused", "ssh://********@host: refused"),
        ("HTTPS://ghp_x@Host", "HTTPS://********@Host"),
        ("GET https://host/a?token=hunter2&page=3 failed", "GET https://host/a?token=********&page=3 failed"),
        ("https://host/a?X-Amz-Security-Token=hunter2#top", "https://host/a?X-Amz-Security-Token=********#top"),
        ("key nvapi-abcdefghij0123456789 is old", "key ******** is old"),
        ("mail ops@example.com, see https://host/@ops", "mail ops@example.com, see https://host/@ops"),
        ("Connection refused", "Connection refused"),
    ],
)
def test_a_message_has_no_user_of_an_address_and_no_token(said, shown):
    assert without_secrets(said) == shown


@pytest.mark.parametrize(
    ("command", "said", "shown"),
    [
        ("curl -H 'X: hunter2'", "cannot send X: hunter2 to it", "cannot send ******** to it"),
        ("curl -H 'X: hunter2'", "header hunter2 is refused", "header ******** is refused"),
        ("tell --token=hunter2", "hunter2 is refused", "******** is refused"),
        ("tell hunter2 'x", "no hunter2", "no ********"),
        ("tell -s up", "-s is no word of up", "-s is no word of up"),
    ],
)
def test_what_a_command_says_does_not_repeat_its_arguments(command, said, shown):
    assert without_secrets(said, command) == shown


def test_a_command_is_shown_by_its_first_word():
    assert command_in_words(["curl", "-H", "Authorization: hunter2"]) == "curl …"
    assert command_in_words(["/usr/bin/scontrol"]) == "/usr/bin/scontrol"
    assert command_in_words(["https://u:p@host/tool"]) == "https://********@host/tool"
