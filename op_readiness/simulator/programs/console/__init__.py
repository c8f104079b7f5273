"""Windows' own console programs: ipconfig, ping, whoami and the like. They write CRLF, as the real ones do."""
