#!/usr/bin/env bash
# Runs the specification against the cluster of a CI job: KUBECONFIG and ARTIFACTS in, the verdict out as exit code
# (0 ready, 1 not ready, 2 usage, 3 undetermined). Leaves junit_01.xml, the other reports and metadata.json in ARTIFACTS.
# OP_READINESS_* variables choose what is run, as everywhere.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
: "${KUBECONFIG:?names the kubeconfig of the cluster to test}"
export ARTIFACTS="${ARTIFACTS:-$PWD/_artifacts}"
mkdir -p "$ARTIFACTS"

if [ -z "${OP_READINESS:-}" ]; then
  environment=$(mktemp -d)
  trap 'rm -rf "$environment"' EXIT
  python3 -m venv "$environment"
  "$environment/bin/pip" install --quiet --disable-pip-version-check .
  OP_READINESS=$environment/bin/op-readiness
fi

# Azure is the provider of these jobs; a job of another kind says so by OP_READINESS_PROVIDER. Every report goes to
# ARTIFACTS, which Prow uploads also after a time-out.
code=0
OP_READINESS_PROVIDER="${OP_READINESS_PROVIDER:-azure}" "$OP_READINESS" run --yes --verbose "$@" || code=$?
exit "$code"
