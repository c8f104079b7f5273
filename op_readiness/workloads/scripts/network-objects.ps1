# What a user of a Node sees of its network. For Windows PowerShell 5.1, in a HostProcess container as any user.
# Input: none.
# Output: one line of JSON: for each of addresses, routes, dns and hns an object of value (addresses of adapters, prefixes
# of routes, addresses of the DNS servers of adapters, names of HNS networks), error (what Windows answered) and missing
# (why it cannot be asked, empty if it can).
$said = @{}
function Call($name, $needs, $body) {
    $one = @{ value = @(); error = ''; missing = '' }
    if (-not (Get-Command $needs -ErrorAction SilentlyContinue)) { $one.missing = "there is no $needs" }
    else { try { $one.value = @(& $body | ForEach-Object { "$_" } | Sort-Object -Unique) } catch { $one.error = "$_" } }
    $said[$name] = $one
}
$ErrorActionPreference = 'Stop'
Call 'addresses' 'Get-NetIPAddress' { (Get-NetIPAddress).IPAddress }
Call 'routes' 'Get-NetRoute' { (Get-NetRoute).DestinationPrefix }
Call 'dns' 'Get-DnsClientServerAddress' { (Get-DnsClientServerAddress).ServerAddresses }
Call 'hns' 'Get-HnsNetwork' { (Get-HnsNetwork).Name }
ConvertTo-Json -Compress -Depth 3 $said
