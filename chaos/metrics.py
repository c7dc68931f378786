"""The controller's own metrics, for `/metrics`. The dashboards' annotations come from `ACTIVE`."""

from prometheus_client import Counter, Gauge, Histogram

ACTIVE = Gauge(
    "coalmine_disturbance_active",
    "Nodes on which a fault of the experiment is in place.",
    ["experiment", "fault"],
)
RECONCILE_SECONDS = Histogram(
    "coalmine_reconcile_seconds",
    "Duration of one step of an object, from observation to the last answer.",
    ["kind"],
    buckets=(0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0),
)
RECONCILE_FAILURES = Counter("coalmine_reconcile_failures_total", "Steps that ended in an unexpected error.", ["kind"])
PHASES = Counter("coalmine_phase_changes_total", "Phases that objects entered.", ["kind", "phase"])
