"""What a stack's state says of its providers: stacks that stand must find them again under the same names."""

import base64

import dill
import pytest
from pulumi.dynamic.dynamic import serialize_provider

from topology.deploy.manifests import ManifestsProvider
from topology.deploy.publishing import PublishingProvider
from topology.deploy.registration import RegistrationProvider

IN_STATES = {  # as the first version of the program wrote them
    RegistrationProvider: "gASVPAAAAAAAAACMHHRvcG9sb2d5LmRlcGxveS5yZWdpc3RyYXRpb26UjBRSZWdpc3RyYXRpb25Qcm92aWRlcpSTlCmBlC4=",  # noqa: E501 -- one text
    PublishingProvider: "gASVOAAAAAAAAACMGnRvcG9sb2d5LmRlcGxveS5wdWJsaXNoaW5nlIwSUHVibGlzaGluZ1Byb3ZpZGVylJOUKYGULg==",
    ManifestsProvider: "gASVNgAAAAAAAACMGXRvcG9sb2d5LmRlcGxveS5tYW5pZmVzdHOUjBFNYW5pZmVzdHNQcm92aWRlcpSTlCmBlC4=",
}


@pytest.mark.parametrize("provider", IN_STATES, ids=lambda provider: provider.__name__)
def test_a_state_names_the_class_of_a_provider_and_nothing_else(provider):
    assert serialize_provider(provider()) == IN_STATES[provider]


@pytest.mark.parametrize("provider", IN_STATES, ids=lambda provider: provider.__name__)
def test_a_provider_of_an_earlier_state_is_found_again(provider):
    found = dill.loads(base64.b64decode(IN_STATES[provider]))  # noqa: S301 -- our own, above
    assert type(found) is provider
    assert found.serialize_as_secret_always is False
