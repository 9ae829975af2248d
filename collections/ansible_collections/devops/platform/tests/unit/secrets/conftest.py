from ansible_collections.devops.platform.tests.unit.secrets.places import (  # noqa: F401 - fixtures
    aws,
    credentials,
    place,
    vault,
)
