# How many events of a provider a Node's log of applications has. For Windows PowerShell 5.1, in a HostProcess container.
# Input, by environment: OPR_PROVIDER, OPR_PATTERN (a regular expression).
# Output: one line of JSON: total, matching (events whose message has the pattern), error (what Windows answered instead).
$said = @{ total = 0; matching = 0; error = '' }
try {
    $filter = @{ LogName = 'Application'; ProviderName = $env:OPR_PROVIDER }
    $events = @(Get-WinEvent -FilterHashtable $filter -ErrorAction Stop)
    $said.total = $events.Count
    $said.matching = @($events | Where-Object { $_.Message -match $env:OPR_PATTERN }).Count
} catch { $said.error = "$_" }
ConvertTo-Json -Compress $said
