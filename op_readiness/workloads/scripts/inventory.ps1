# What a result was measured on. For Windows PowerShell 5.1, in a HostProcess container as SYSTEM.
# Input: none.
# Output: one line of JSON: name, build (with its revision), addresses (of all adapters), hotfixes, uptimeSeconds,
# freeBytes (of drive C), pageFileMiB.
$version = Get-ItemProperty 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion'
$system = Get-CimInstance Win32_OperatingSystem -ErrorAction Stop
$addresses = Get-NetIPAddress -ErrorAction Stop
ConvertTo-Json -Compress @{
    name = [System.Net.Dns]::GetHostName()
    build = "10.0.$($version.CurrentBuildNumber).$($version.UBR)"
    addresses = @($addresses | ForEach-Object { "$($_.IPAddress)" -replace '%.*$', '' } | Sort-Object -Unique)
    hotfixes = @(Get-HotFix | ForEach-Object { "$($_.HotFixID)" } | Sort-Object -Unique)
    uptimeSeconds = [int]((Get-Date) - $system.LastBootUpTime).TotalSeconds
    freeBytes = [long](Get-PSDrive C).Free
    pageFileMiB = [long](Get-CimInstance Win32_PageFileUsage | Measure-Object AllocatedBaseSize -Sum).Sum
}
