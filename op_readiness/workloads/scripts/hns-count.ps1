# What the host network service and the runtime hold. For Windows PowerShell 5.1, in a HostProcess container as SYSTEM.
# Input: none.
# Output: one line of JSON: missing (why HNS cannot be asked, empty if it can), endpoints (ip, remote), loadBalancers,
# shims (processes of containerd's shim, one for each Pod that runs).
$said = @{ missing = ''; endpoints = @(); loadBalancers = 0; shims = 0 }
if (-not (Get-Command Get-HnsEndpoint -ErrorAction SilentlyContinue)) {
    $said.missing = 'there is no command Get-HnsEndpoint'
} else {
    $said.endpoints = @(Get-HnsEndpoint | ForEach-Object {
        @{ ip = "$($_.IPAddress)"; remote = [bool]$_.IsRemoteEndpoint } })
    $said.loadBalancers = @(Get-HnsPolicyList).Count
}
$said.shims = @(Get-Process containerd-shim-runhcs-v1 -ErrorAction SilentlyContinue).Count
ConvertTo-Json -Compress -Depth 3 $said
