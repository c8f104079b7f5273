"""What runs in simulated containers: agnhost, curl, dig, nslookup ... behind small real parsers of sh and cmd."""
