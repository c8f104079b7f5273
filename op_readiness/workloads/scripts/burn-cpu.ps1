# Computes for ever, to be held by a CPU limit. For PowerShell 6 and later, inside a container.
# Input, by environment: OPR_THREADS, how many threads compute.
# Output: one line of JSON, {"threads": N}, once they have begun.
$running = 1..[int]$env:OPR_THREADS | ForEach-Object {
    [powershell]::Create().AddScript('while ($true) { }').BeginInvoke()
}
ConvertTo-Json -Compress @{ threads = @($running).Count }
while ($true) { Start-Sleep -Seconds 3600 }
