# What the host network service and the runtime hold. For Windows PowerShell 5.1, in a HostProcess container as SYSTEM.
# Input: none.
# Output: one line of JSON: missing (why HNS cannot be asked, empty if it can), error (what HNS answered instead), endpoints
# (ip, remote), loadBalancers, vips (the addresses that these are for), shims (processes of containerd's shim, one for each
# Pod that runs).
$said = @{ missing = ''; error = ''; endpoints = @(); loadBalancers = 0; vips = @(); shims = 0 }
if (-not (Get-Command Get-HnsEndpoint -ErrorAction SilentlyContinue)) {
    $said.missing = 'there is no command Get-HnsEndpoint'
} else {
    $ErrorActionPreference = 'Stop'
    try {
        $said.endpoints = @(Get-HnsEndpoint | ForEach-Object {
            @{ ip = "$($_.IPAddress)"; remote = [bool]$_.IsRemoteEndpoint } })
        $lists = @(Get-HnsPolicyList)
        $said.loadBalancers = $lists.Count
        $said.vips = @($lists | ForEach-Object { $_.Policies } | ForEach-Object { $_.VIPs } | Where-Object { $_ } |
            ForEach-Object { "$_" } | Sort-Object -Unique)
    } catch { $said.error = "$_" }
}
$said.shims = @(Get-Process containerd-shim-runhcs-v1 -ErrorAction SilentlyContinue).Count
ConvertTo-Json -Compress -Depth 3 $said
