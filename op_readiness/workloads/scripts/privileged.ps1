# Calls of Windows that only an administrator of the machine may make. For Windows PowerShell 5.1 in a HostProcess
# container as SYSTEM, and for PowerShell Core in an ordinary one, where they must fail or see the container alone.
# Input, by environment: OPR_ACT (write, look or remove: the registry key HKLM:\SOFTWARE\<OPR_KEY>), OPR_KEY, OPR_NONCE
# (the value to write there).
# Output: one line of JSON: for each of user, services, build, revision, product, events, firewall, compute and key an
# object of value, error (what Windows answered) and missing (why it cannot be asked, empty if it can). user is a SID,
# services are `name=status` of kubelet, containerd, hns and vmcompute as far as they exist, build, revision (UBR) and
# product (ProductName) what the registry says of Windows, events, firewall and compute numbers of what was found, key
# the value that stands in the registry key.
$said = @{}
function Call($name, $needs, $body) {
    $one = @{ value = ''; error = ''; missing = '' }
    if ($needs -and -not (Get-Command $needs -ErrorAction SilentlyContinue)) { $one.missing = "there is no $needs" }
    else { try { $one.value = "$(& $body)" } catch { $one.error = "$_" } }
    $said[$name] = $one
}
$ErrorActionPreference = 'Stop'
$key = "HKLM:\SOFTWARE\$env:OPR_KEY"
Call 'user' '' { [Security.Principal.WindowsIdentity]::GetCurrent().User.Value }
Call 'services' 'Get-Service' {
    (Get-Service kubelet, containerd, hns, vmcompute -ErrorAction SilentlyContinue |
        ForEach-Object { "$($_.Name.ToLower())=$($_.Status)" } | Sort-Object) -join ' ' }
$windows = 'HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion'
Call 'build' '' { (Get-ItemProperty $windows).CurrentBuild }
Call 'revision' '' { (Get-ItemProperty $windows).UBR }
Call 'product' '' { (Get-ItemProperty $windows).ProductName }
Call 'events' 'Get-WinEvent' { @(Get-WinEvent -LogName System -MaxEvents 1).Count }
Call 'firewall' 'Get-NetFirewallProfile' { @(Get-NetFirewallProfile).Count }
Call 'compute' 'hcsdiag.exe' {
    $lines = @(hcsdiag.exe list); if ($LASTEXITCODE) { throw "hcsdiag: exit code $LASTEXITCODE" }
    @($lines | Where-Object { $_ -match '^[0-9a-f]{8,}' }).Count }
Call 'key' '' {
    if ($env:OPR_ACT -eq 'write') {
        $null = New-Item -Path $key -Force
        $null = New-ItemProperty -Path $key -Name nonce -Value $env:OPR_NONCE -Force }
    if ($env:OPR_ACT -eq 'remove' -and (Test-Path $key)) { Remove-Item -Path $key -Recurse -Force }
    if (Test-Path $key) { (Get-ItemProperty $key).nonce } }
ConvertTo-Json -Compress -Depth 3 $said
