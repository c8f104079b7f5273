# When Windows was started and when it was installed. For Windows PowerShell 5.1, in a HostProcess container as SYSTEM.
# Input: none.
# Output: one line of JSON: booted (LastBootUpTime) and installed (InstallDate), both in seconds since 1970.
$ErrorActionPreference = 'Stop'
$system = Get-CimInstance Win32_OperatingSystem
ConvertTo-Json -Compress @{
    booted = ([DateTimeOffset]$system.LastBootUpTime).ToUnixTimeSeconds()
    installed = ([DateTimeOffset]$system.InstallDate).ToUnixTimeSeconds()
}
