"""A small part of PowerShell: enough for the short scripts of tests; a script with anything else is refused whole."""
