# Commits memory step by step until it is refused, and keeps it. For PowerShell 6 and later, inside a container.
# The memory is the process heap's and not .NET's, whose collector has limits of its own.
# Input, by environment: OPR_STEP_MIB a step, OPR_MOST_MIB altogether, OPR_PAUSE_SECONDS between two steps, OPR_NONCE.
# Output: a line of JSON a step, {"nonce": .., "taken": MiB altogether, "refused": words, empty while it is given}.
$step, $most = [int]$env:OPR_STEP_MIB, [int]$env:OPR_MOST_MIB
$taken, $refused = 0, ''
while ($taken -lt $most -and -not $refused) {
    try {
        [void][System.Runtime.InteropServices.Marshal]::AllocHGlobal([IntPtr]($step * 1MB))
        $taken += $step
    } catch {
        $refused = $_.Exception.Message
    }
    [Console]::Out.WriteLine((ConvertTo-Json -Compress @{ nonce = $env:OPR_NONCE; taken = $taken; refused = $refused }))
    Start-Sleep -Seconds ([int]$env:OPR_PAUSE_SECONDS)
}
while ($true) { Start-Sleep -Seconds 3600 }
