"""What `zombie-bite bite` leaves becomes a Testnet that loads, whatever of it stands where."""

import hashlib
import json
import os

import pytest
import yaml

from orchestrator.errors import UsageError
from orchestrator.importing.zombie_bite import read_bite
from orchestrator.spec.load import load

CONFIG = """
[relaychain]
chain = "kusama"
default_command = "polkadot"
default_args = ["-l=babe=debug", "--discover-local", "--state-pruning=256", "--database=rocksdb"]
chain_spec_path = "/elsewhere/bite/kusama-spec.json"
default_db_snapshot = "/elsewhere/bite/kusama-snap.tgz"
[[relaychain.nodes]]
name = "alice"
env = [{ name = "ZOMBIE_DISPUTE_CANDIDATE_LIFETIME_AFTER_FINALIZATION", value = "1" }]
[[relaychain.nodes]]
name = "bob"
[[parachains]]
id = 1000
default_image = "docker.io/parity/polkadot-parachain:stable2606"
[[parachains.collators]]
name = "Collator-1000"
args = ["--force-authoring", "--authoring=slot-based", "--state-pruning=256", "--database=rocksdb"]
"""


def entry(chain, para_id=None, **more):
    files = {"spec_file": f"{chain}-spec.json", "snapshot_file": f"{chain}-snap.tgz"}
    return {"chain": chain, "para_id": para_id, **files, **more}


@pytest.fixture
def bitten(tmp_path):
    base = tmp_path / "base"
    (base / "bite").mkdir(parents=True)
    (base / "bite" / "config.toml").write_text(CONFIG)
    relay = entry("kusama", upgrade_file="kusama-upgrade.wasm")
    manifest = {"version": 1, "bundle": "bite", "relay": relay, "parachains": [entry("asset-hub-kusama", 1000)]}
    (base / "manifest.json").write_text(json.dumps(manifest))
    for chain in ("kusama", "asset-hub-kusama"):
        (base / "bite" / f"{chain}-spec.json").write_text("{}")
        (base / "bite" / f"{chain}-snap.tgz").write_text(f"the archive of {chain}")
    return base


def read(base, home):
    return read_bite(
        base, archives="http://files.internal/x/", name="fork", rebase=lambda path: os.path.relpath(path, home)
    )


def test_a_bite_becomes_a_testnet_that_loads(bitten, tmp_path):
    bite = read(bitten, tmp_path)
    for name, text in bite.files.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "fork.yaml").write_text(yaml.safe_dump(bite.document))
    spec = load([tmp_path / "fork.yaml"]).testnet().spec
    (validator,), (asset_hub,) = spec.relaychain.groups, spec.parachains
    assert validator.keys.dev == ("alice", "bob")
    assert (validator.database, validator.pruning) == ("rocksdb", "256")
    assert validator.env == {"ZOMBIE_DISPUTE_CANDIDATE_LIFETIME_AFTER_FINALIZATION": "1"}
    archive = validator.snapshot.archive
    assert archive.url == "http://files.internal/x/kusama-snap.tgz"
    assert archive.sha256 == hashlib.sha256(b"the archive of kusama").hexdigest()
    assert spec.isolation.fork_id == "fork"
    assert (asset_hub.id, asset_hub.authoring, asset_hub.relay) == (1000, "slot-based", "rpc")
    assert asset_hub.image == "docker.io/parity/polkadot-parachain:stable2606"
    assert (tmp_path / "collator-1000.txt").read_text() == "//Collator-1000\n"
    assert any("kusama-upgrade.wasm" in remark for remark in bite.remarks)


def test_an_unpacked_bundle_is_one_folder(bitten, tmp_path):
    for file in (bitten / "bite").iterdir():
        file.rename(bitten / file.name)
    (bitten / "bite").rmdir()
    assert read(bitten, tmp_path).document["spec"]["relaychain"]["specFile"] == "base/kusama-spec.json"


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (lambda base: (base / "manifest.json").unlink(), "manifest.json"),
        (lambda base: (base / "manifest.json").write_text("{"), "manifest.json cannot be read"),
        (lambda base: (base / "manifest.json").write_text("[]"), "is not a readable bite"),
        (lambda base: (base / "manifest.json").write_text("{}"), "'bundle'"),
        (lambda base: (base / "bite" / "config.toml").write_text("x"), "config.toml cannot be read"),
        (lambda base: (base / "bite" / "kusama-snap.tgz").unlink(), "kusama-snap.tgz"),
        (lambda base: (base / "bite" / "config.toml").write_text(CONFIG.replace("1000", "1001")), "1000"),
        (lambda base: (base / "bite" / "config.toml").write_text(CONFIG.replace('"bob"', '"one"')), "one"),
    ],
)
def test_what_is_missing_is_named(bitten, tmp_path, break_it, said):
    break_it(bitten)
    with pytest.raises(UsageError, match=said):
        read(bitten, tmp_path)
