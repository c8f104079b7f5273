"""An Active Directory domain beside the simulated cluster: controllers, accounts, shares, and the GMSA webhook."""
