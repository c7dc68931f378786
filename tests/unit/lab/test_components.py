"""What a lab runs, with which flags: it is consistent in itself, and says what the recipe found to matter."""

import json

import pytest
from cryptography import x509

from orchestrator.lab import certificates, components, image
from orchestrator.lab.state import LabState


@pytest.fixture
def lab(monkeypatch, tmp_path):
    monkeypatch.setattr("orchestrator.lab.state.ROOT", tmp_path)
    found = LabState(name="a", index=3, binaries="/cache", owner=1)
    found.save()
    return found


def test_every_need_is_a_component_that_can_become_ready(lab):
    ready = {component.name for component in components.components(lab) if component.ready is not None}
    assert {need for component in components.components(lab) for need in component.needs} <= ready


def test_needs_have_no_circle(lab):
    started = set()
    waiting = list(components.components(lab))
    while waiting:
        able = [component for component in waiting if set(component.needs) <= started]
        assert able, waiting
        started |= {component.name for component in able}
        waiting = [component for component in waiting if component not in able]


def test_every_file_that_a_flag_names_is_written(lab):
    certificates.issue_all(lab)
    components.write_files(lab)
    for component in components.components(lab):
        for flag in component.command:
            value = flag.partition("=")[2] or flag
            if value.startswith(f"{lab.directory}/") and "." in value.rpartition("/")[2]:
                assert value.rpartition("=")[2], flag
                assert (lab.directory / value.removeprefix(f"{lab.directory}/")).exists(), flag


def test_the_api_servers_certificate_names_every_address_that_it_is_called_by(lab):
    certificates.issue_all(lab)
    certificate = x509.load_pem_x509_certificate((lab.directory / "pki" / "apiserver.crt").read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    addresses = set(map(str, names.get_values_for_type(x509.IPAddress)))
    assert {lab.api_ip, lab.lab_ip, "127.0.0.1"} <= addresses
    assert "kubernetes.default.svc" in names.get_values_for_type(x509.DNSName)


def test_keys_and_kubeconfigs_are_for_their_owner_alone(lab):
    certificates.issue_all(lab)
    secrets = [*lab.directory.glob("pki/*.key"), *lab.directory.glob("*.kubeconfig")]
    assert len(secrets) > 8
    assert {file.stat().st_mode & 0o077 for file in secrets} == {0}


def test_the_kubelet_lives_with_cgroup_v1_and_in_the_labs_cgroup(lab):
    components.write_files(lab)
    kubelet = json.loads((lab.directory / "kubelet.json").read_text())
    assert kubelet["failCgroupV1"] is False
    assert kubelet["cgroupRoot"] == f"/{lab.cgroup}"
    assert kubelet["clusterDNS"] == [lab.dns_ip]


def test_containerd_finds_the_pause_image_and_needs_no_special_capability(lab):
    components.write_files(lab)
    text = (lab.directory / "containerd.toml").read_text()
    assert f'sandbox_image = "{image.PAUSE}"' in text
    assert "restrict_oom_score_adj = true" in text
