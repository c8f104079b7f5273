# A load balancer of the host network service. For Windows PowerShell 5.1, in a HostProcess container as SYSTEM.
# Input, by environment: OPR_ACT (list, create, remove), OPR_VIP and OPR_PORT (what it is known by), OPR_ENDPOINT (for
# create: the IP address of the Pod that it leads to, port 8080).
# Output: one line of JSON: missing (why there is no HNS to ask, empty if there is), error (what HNS or Windows answered,
# empty if it was done), created (the id, empty if nothing was created), ours (ids with that VIP and port), lists (of all:
# id, and fronts: address:port/protocol for each VIP, :port/protocol where there is none).
# remove ends with exit code 1 where HNS refuses or something of ours stays.
$said = @{ missing = ''; error = ''; created = ''; ours = @(); lists = @() }
$port = 0 + $env:OPR_PORT
if (-not (Test-Path "$env:SystemRoot\System32\vmcompute.dll")) { $said.missing = 'there is no vmcompute.dll' }
try {
    Add-Type -Namespace OpReadiness -Name Hns -MemberDefinition @'
[DllImport("vmcompute.dll")]
public static extern void HNSCall([MarshalAs(UnmanagedType.LPWStr)] string method,
    [MarshalAs(UnmanagedType.LPWStr)] string path, [MarshalAs(UnmanagedType.LPWStr)] string request,
    [MarshalAs(UnmanagedType.LPWStr)] out string response);
'@
} catch { $said.error = "$_" }
function Ask($method, $path, $body) {
    $text = ''
    [OpReadiness.Hns]::HNSCall($method, $path, $body, [ref]$text)
    $answer = ConvertFrom-Json $text
    if (-not $answer.Success) { throw "$method ${path}: $($answer.Error)" }
    $answer.Output
}
function Ours($lists) {
    $lists | Where-Object { $_.Policies | Where-Object { $_.VIPs -contains $env:OPR_VIP -and $_.ExternalPort -eq $port } }
}
function Fronts($list) {
    $list.Policies | Where-Object { $_.ExternalPort } | ForEach-Object {
        $vips = @($_.VIPs | Where-Object { $_ })
        if (-not $vips.Count) { $vips = @('') }
        foreach ($vip in $vips) { "${vip}:$($_.ExternalPort)/$($_.Protocol)" }
    }
}
if (-not $said.missing -and -not $said.error) {
    try {
        if ($env:OPR_ACT -eq 'create') {
            $end = Ask 'GET' '/endpoints/' '' | Where-Object { $_.IPAddress -eq $env:OPR_ENDPOINT } | Select-Object -First 1
            if (-not $end) { throw "no endpoint has the address $env:OPR_ENDPOINT" }
            $policy = @{ Type = 'ELB'; Protocol = 6; InternalPort = 8080; ExternalPort = $port; VIPs = @($env:OPR_VIP) }
            $body = @{ References = @("/endpoints/$($end.ID)"); Policies = @($policy) }
            $said.created = "$((Ask 'POST' '/policylists/' (ConvertTo-Json -Compress -Depth 5 $body)).ID)"
        }
        if ($env:OPR_ACT -eq 'remove') {
            Ours (Ask 'GET' '/policylists/' '') | ForEach-Object { $null = Ask 'DELETE' "/policylists/$($_.ID)" '' }
        }
        $lists = @(Ask 'GET' '/policylists/' '')
        $said.lists = @($lists | ForEach-Object { @{ id = "$($_.ID)"; fronts = @(Fronts $_) } })
        $said.ours = @(Ours $lists | ForEach-Object { "$($_.ID)" })
    } catch { $said.error = "$_" }
}
ConvertTo-Json -Compress -Depth 5 $said
if ($env:OPR_ACT -eq 'remove' -and ($said.error -or $said.ours.Count)) { exit 1 }
