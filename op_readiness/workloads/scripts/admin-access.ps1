# Whether administrators can log on by SSH or RDP. For Windows PowerShell 5.1, in a HostProcess container as SYSTEM.
# Input: none. Nothing logs on.
# Output: one line of JSON: services (name, status, startType), listening (TCP ports of 22 and 3389), rdpDenied.
$services = @(Get-Service sshd, TermService -ErrorAction SilentlyContinue | ForEach-Object {
    @{ name = $_.Name; status = "$($_.Status)"; startType = "$($_.StartType)" } })
# Something always listens on a Node, so an error here is no list without these ports.
$listening = @(Get-NetTCPConnection -State Listen -ErrorAction Stop | Where-Object { $_.LocalPort -in 22, 3389 } |
    ForEach-Object { [int]$_.LocalPort } | Sort-Object -Unique)
# A policy stands above what is set on the Node itself.
$keys = 'HKLM:\SOFTWARE\Policies\Microsoft\Windows NT\Terminal Services',
    'HKLM:\SYSTEM\CurrentControlSet\Control\Terminal Server'
$denied = $keys | ForEach-Object {
    (Get-ItemProperty $_ -Name fDenyTSConnections -ErrorAction SilentlyContinue).fDenyTSConnections
} | Where-Object { $null -ne $_ } | Select-Object -First 1
ConvertTo-Json -Compress -Depth 3 @{ services = $services; listening = $listening; rdpDenied = ($denied -ne 0) }
