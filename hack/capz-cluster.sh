#!/usr/bin/env bash
# Makes or deletes a throw-away cluster with Windows Nodes by Cluster API on Azure, for the pull-request bot. Runs from
# the default branch with the job's cloud identity; leaves `kubeconfig`, and nothing else, for the job that tests.
#
#   CLUSTER_NAME=.. WINDOWS_SERVER_VERSION=windows-2022 hack/capz-cluster.sh create
#   CLUSTER_NAME=.. hack/capz-cluster.sh delete
#
# The work is done by run-capz-e2e.sh of kubernetes-sigs/windows-testing, checked out at WINDOWS_TESTING, which brings
# up the cluster, runs the command that it is given in place of its own tests, and hands it KUBECONFIG. It needs the
# cloud's command line; a repository that enables this workflow provides both in its runner's image.
set -euo pipefail
: "${CLUSTER_NAME:?}" "${AZURE_CLIENT_ID:?}" "${AZURE_TENANT_ID:?}" "${AZURE_SUBSCRIPTION_ID:?}"
[[ "$CLUSTER_NAME" =~ ^[a-z0-9-]{1,40}$ ]] || { echo "CLUSTER_NAME is no name" >&2; exit 2; }
out=$PWD/kubeconfig

case "${1:-}" in
  create)
    [[ "${WINDOWS_SERVER_VERSION:?}" =~ ^windows-(2019|2022|2025)$ ]] || { echo "no such Windows Server" >&2; exit 2; }
    export CLUSTER_NAME WINDOWS_SERVER_VERSION TEST_WINDOWS=true WINDOWS_WORKER_MACHINE_COUNT=2 SKIP_CLEANUP=true
    cd "${WINDOWS_TESTING:?the checkout of kubernetes-sigs/windows-testing}"
    # The command that is run in place of its tests keeps the kubeconfig.
    ./capz/run-capz-e2e.sh bash -c 'install -m 0600 "$KUBECONFIG" "$0"' "$out"
    ;;
  delete)
    az group delete --name "$CLUSTER_NAME" --yes
    ;;
  *)
    echo "usage: $0 create|delete" >&2
    exit 2
    ;;
esac
