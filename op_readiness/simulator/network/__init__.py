"""The virtual network: tables a Node, the keepers that write them, and what a packet meets on its way."""
