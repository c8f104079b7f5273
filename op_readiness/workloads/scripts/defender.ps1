# What Microsoft Defender leaves out when it scans. For Windows PowerShell 5.1, in a HostProcess container as SYSTEM.
# Input: none.
# Output: one line of JSON: missing (why there is no Defender to ask, empty if there is one), error (what Windows
# answered in place of what was asked), service, realTime, mode, processes and paths (its exclusions), containerd (the
# path of its executable, empty if there is no such service).
$said = @{ missing = ''; error = ''; service = ''; realTime = $false; mode = ''; processes = @(); paths = @()
    containerd = '' }
$service = Get-Service WinDefend -ErrorAction SilentlyContinue
if ($service) { $said.service = "$($service.Status)" }
if (-not $service) {
    $said.missing = 'there is no service WinDefend'
} elseif ($said.service -eq 'Stopped') {
    $said.missing = 'the service WinDefend is stopped'
} elseif (-not (Get-Command Get-MpPreference -ErrorAction SilentlyContinue)) {
    $said.missing = 'there is no command Get-MpPreference'
} else {
    try {
        $runtime = Get-CimInstance Win32_Service -Filter "Name='containerd'" -ErrorAction Stop
        if ($runtime) {
            $said.containerd = ([regex]'^\s*"?(.+?\.exe)').Match($runtime.PathName).Groups[1].Value }
        $status = Get-MpComputerStatus -ErrorAction Stop
        $wanted = Get-MpPreference -ErrorAction Stop
        $said.realTime = [bool]$status.RealTimeProtectionEnabled -and -not $wanted.DisableRealtimeMonitoring
        $said.mode = "$($status.AMRunningMode)"
        $said.processes = @($wanted.ExclusionProcess | Where-Object { $_ } | ForEach-Object {
            [Environment]::ExpandEnvironmentVariables($_) })
        $said.paths = @($wanted.ExclusionPath | Where-Object { $_ } | ForEach-Object {
            [Environment]::ExpandEnvironmentVariables($_) })
    } catch {
        $said.error = "$_"
    }
}
ConvertTo-Json -Compress $said
