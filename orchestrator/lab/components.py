"""The programs that a lab runs, with their flags and files. Pure, except for writing the files. Called by `supervisor`.

The flags also suit a machine without systemd, with cgroup v1 and without CAP_SYS_RESOURCE.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from orchestrator.lab import image, toolchain
from orchestrator.lab.state import LabState

CONTAINERD = "/run/containerd-lab.sock"


@dataclass(frozen=True, slots=True)
class Component:
    """A program. It starts when all components in `needs` are ready.

    It is ready when `ready` answers: an http(s) URL, or `file:PATH` that exists. None: ready as soon as it has started.
    """

    name: str
    command: tuple[str, ...]
    needs: tuple[str, ...] = ()
    ready: str | None = None


def write_files(lab: LabState) -> None:
    """Writes the configuration files that the components read."""
    folder = lab.directory
    (folder / "cni").mkdir(exist_ok=True)
    (folder / "cni" / "10-bridge.conflist").write_text(json.dumps(_cni(lab)))
    (folder / "kubelet.json").write_text(json.dumps(_kubelet(lab)))
    (folder / "containerd.toml").write_text(_containerd(lab))
    (folder / "Corefile").write_text(_corefile(lab))


def components(lab: LabState) -> tuple[Component, ...]:
    folder, binaries = lab.directory, Path(lab.binaries)
    pki = folder / "pki"
    return (
        Component("etcd", _etcd(folder), ready="http://127.0.0.1:2379/health"),
        Component("containerd", ("containerd", "--config", f"{folder}/containerd.toml"), ready=f"file:{CONTAINERD}"),
        Component(
            "kube-apiserver",
            (str(binaries / "kube-apiserver"), *_api_server(lab, pki)),
            needs=("etcd",),
            ready="https://127.0.0.1:6443/readyz",
        ),
        Component(
            "kube-controller-manager",
            (
                str(binaries / "kube-controller-manager"),
                f"--kubeconfig={folder}/controller-manager.kubeconfig",
                f"--service-account-private-key-file={pki}/service-account.key",
                f"--root-ca-file={pki}/ca.crt",
                f"--cluster-cidr={lab.pod_network}",
                f"--service-cluster-ip-range={lab.service_network}",
                "--allocate-node-cidrs=false",
                "--leader-elect=false",
                "--use-service-account-credentials=false",  # Separate accounts for controllers take three seconds.
                "--kube-api-qps=500",
                "--kube-api-burst=1000",
                "--profiling=false",
            ),
            needs=("kube-apiserver",),
        ),
        Component(
            "kube-scheduler",
            (
                str(binaries / "kube-scheduler"),
                f"--kubeconfig={folder}/scheduler.kubeconfig",
                "--leader-elect=false",
                "--profiling=false",
            ),
            needs=("kube-apiserver",),
        ),
        Component(
            "kubelet",
            (
                str(binaries / "kubelet"),
                f"--config={folder}/kubelet.json",
                f"--kubeconfig={folder}/kubelet.kubeconfig",
                f"--root-dir={folder}/kubelet",
                f"--hostname-override={lab.node}",
                f"--node-ip={lab.bridge_ip}",
            ),
            needs=("kube-apiserver", "containerd"),
        ),
        Component(
            "kube-proxy",
            (
                str(binaries / "kube-proxy"),
                f"--kubeconfig={folder}/proxy.kubeconfig",
                f"--hostname-override={lab.node}",
                f"--cluster-cidr={lab.pod_network}",
                "--proxy-mode=iptables",
                "--conntrack-max-per-core=0",
            ),
            needs=("kube-apiserver",),
        ),
        Component("coredns", (str(binaries / "coredns"), "-conf", f"{folder}/Corefile"), needs=("kube-apiserver",)),
        Component(
            "storage",
            (toolchain.python(), "-m", "orchestrator.lab", "storage", lab.name),
            needs=("kube-apiserver",),
        ),
    )


def _etcd(folder: Path) -> tuple[str, ...]:
    return (
        "etcd",
        f"--data-dir={folder}/etcd",
        "--listen-client-urls=http://127.0.0.1:2379",
        "--advertise-client-urls=http://127.0.0.1:2379",
        "--listen-peer-urls=http://127.0.0.1:2380",
        "--initial-advertise-peer-urls=http://127.0.0.1:2380",
        "--initial-cluster=default=http://127.0.0.1:2380",
        "--unsafe-no-fsync",  # The data is deleted with the lab.
        "--log-level=warn",
    )


def _api_server(lab: LabState, pki: Path) -> tuple[str, ...]:
    return (
        "--etcd-servers=http://127.0.0.1:2379",
        "--bind-address=0.0.0.0",
        f"--advertise-address={lab.lab_ip}",
        "--secure-port=6443",
        f"--client-ca-file={pki}/ca.crt",
        f"--tls-cert-file={pki}/apiserver.crt",
        f"--tls-private-key-file={pki}/apiserver.key",
        f"--kubelet-client-certificate={pki}/apiserver-kubelet.crt",
        f"--kubelet-client-key={pki}/apiserver-kubelet.key",
        "--kubelet-preferred-address-types=InternalIP",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        f"--service-account-key-file={pki}/service-account.key",
        f"--service-account-signing-key-file={pki}/service-account.key",
        f"--service-cluster-ip-range={lab.service_network}",
        "--authorization-mode=Node,RBAC",
        "--allow-privileged=true",
        "--profiling=false",
    )


def _kubelet(lab: LabState) -> dict[str, object]:
    pki = lab.directory / "pki"
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {"anonymous": {"enabled": False}, "x509": {"clientCAFile": f"{pki}/ca.crt"}},
        "authorization": {"mode": "Webhook"},
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{lab.cgroup}",
        "clusterDNS": [lab.dns_ip],
        "clusterDomain": "cluster.local",
        "containerRuntimeEndpoint": f"unix://{CONTAINERD}",
        "enforceNodeAllocatable": [],
        "evictionHard": {"memory.available": "1Mi", "nodefs.available": "0.1%", "imagefs.available": "0.1%"},
        "failCgroupV1": False,
        "failSwapOn": False,
        "imageGCHighThresholdPercent": 100,
        "maxPods": 500,
        "podLogsDir": f"{lab.directory}/pod-logs",
        "registerWithTaints": [],
        "resolvConf": f"{lab.directory}/resolv.conf",
        "serializeImagePulls": False,
        "registryPullQPS": 0,
        "kubeAPIQPS": 200,
        "kubeAPIBurst": 400,
        "syncFrequency": "10s",
        "volumePluginDir": f"{lab.directory}/volume-plugins",
    }


def _containerd(lab: LabState) -> str:
    return f"""version = 2
root = "{lab.directory}/containerd"
state = "/run/containerd-lab"
[grpc]
  address = "{CONTAINERD}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{image.PAUSE}"
  # Without CAP_SYS_RESOURCE every sandbox dies when it lowers its oom_score_adj.
  restrict_oom_score_adj = true
  max_concurrent_downloads = 8
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{lab.directory}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
"""


def _cni(lab: LabState) -> dict[str, object]:
    return {
        "cniVersion": "0.4.0",
        "name": "pods",
        "plugins": [
            {
                "type": "bridge",
                "bridge": "br0",
                "isGateway": True,
                "hairpinMode": True,
                "ipam": {
                    "type": "host-local",
                    "ranges": [[{"subnet": lab.pod_network}]],
                    "routes": [{"dst": "0.0.0.0/0"}],
                    "dataDir": "/run/cni-addresses",  # On the lab's tmpfs, so that no addresses leak over restarts.
                },
            },
            {"type": "portmap", "capabilities": {"portMappings": True}},
        ],
    }


def _corefile(lab: LabState) -> str:
    return f""".:53 {{
    errors
    health 127.0.0.1:8080
    ready 0.0.0.0:8181
    kubernetes cluster.local in-addr.arpa {{
        kubeconfig {lab.directory}/admin.kubeconfig
        pods insecure
        endpoint_pod_names
        ttl 2
    }}
}}
"""
