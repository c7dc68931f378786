import pytest

from orchestrator.runtime.blob import model_blob
from orchestrator.spec.runtime import ModelRuntime


@pytest.fixture
def code():
    """Builds a model runtime's code: `code("relay", 2, migration="panics")`."""

    def build(name="relay", version=1, **behaviour):
        return model_blob(ModelRuntime(spec_name=name, spec_version=version, **behaviour))

    return build
