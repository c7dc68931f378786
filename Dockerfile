# The one image of coalmine: controller, node agent, init containers and simnode. This file is for machines with a
# builder. `orchestrator/lab/image.py` makes the same image, layer by layer, without one. Keep the two alike.
FROM debian:bookworm-slim AS root
RUN apt-get update \
 && apt-get install -y --no-install-recommends \
      python3 iproute2 iptables nftables procps stress-ng faketime ca-certificates \
 && rm -rf /var/lib/apt/lists/* \
 && echo 'coalmine:x:65532:65532:coalmine:/nonexistent:/usr/sbin/nologin' >> /etc/passwd \
 && echo 'coalmine:x:65532:' >> /etc/group

FROM python:3.11-slim-bookworm AS dependencies
COPY orchestrator/lab/image.lock /source/image.lock
# Only the locked packages. Pods start faster, because Python does not check this byte code against its source.
RUN python -m pip install --quiet --no-compile --only-binary=:all: --no-deps --require-hashes \
      --target /opt/coalmine/lib -r /source/image.lock \
 && python -m compileall -q --invalidation-mode unchecked-hash /opt/coalmine/lib

FROM python:3.11-slim-bookworm AS code
COPY orchestrator /opt/coalmine/app/orchestrator
COPY simnode /opt/coalmine/app/simnode
COPY chaos /opt/coalmine/app/chaos
COPY stacks /opt/coalmine/app/stacks
COPY manifests /opt/coalmine/app/manifests
COPY dashboards /opt/coalmine/app/dashboards
RUN rm -rf /opt/coalmine/app/orchestrator/lab/golang \
 && find /opt/coalmine/app -name __pycache__ -prune -exec rm -rf {} + \
 && python -m compileall -q --invalidation-mode unchecked-hash /opt/coalmine/app

FROM root
COPY --from=dependencies /opt/coalmine/lib /opt/coalmine/lib
COPY --from=code /opt/coalmine/app /opt/coalmine/app
ENV PYTHONPATH=/opt/coalmine/app:/opt/coalmine/lib PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 65532:65532
