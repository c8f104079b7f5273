# What Microsoft Defender leaves out when it scans. For Windows PowerShell 5.1, in a HostProcess container as SYSTEM.
# Input: none.
# Output: one line of JSON: missing (why Defender cannot be asked, empty if it can), service, realTime, mode,
# processes and paths (its exclusions), containerd (the path of its executable, empty if there is no such service).
$said = @{ missing = ''; service = ''; realTime = $false; mode = ''; processes = @(); paths = @(); containerd = '' }
$runtime = Get-CimInstance Win32_Service -Filter "Name='containerd'"
if ($runtime) { $said.containerd = ([regex]'^\s*"?(.+?\.exe)').Match($runtime.PathName).Groups[1].Value }
$service = Get-Service WinDefend -ErrorAction SilentlyContinue
if (-not $service) {
    $said.missing = 'there is no service WinDefend'
} elseif (-not (Get-Command Get-MpPreference -ErrorAction SilentlyContinue)) {
    $said.missing = 'there is no command Get-MpPreference'
} else {
    $said.service = "$($service.Status)"
    try {
        $status = Get-MpComputerStatus -ErrorAction Stop
        $wanted = Get-MpPreference -ErrorAction Stop
        $said.realTime = [bool]$status.RealTimeProtectionEnabled -and -not $wanted.DisableRealtimeMonitoring
        $said.mode = "$($status.AMRunningMode)"
        $said.processes = @($wanted.ExclusionProcess | Where-Object { $_ } | ForEach-Object {
            [Environment]::ExpandEnvironmentVariables($_) })
        $said.paths = @($wanted.ExclusionPath | Where-Object { $_ } | ForEach-Object {
            [Environment]::ExpandEnvironmentVariables($_) })
    } catch {
        $said.missing = $_.Exception.Message
    }
}
ConvertTo-Json -Compress $said
