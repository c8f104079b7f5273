"""Who asks, and what they may: tokens, impersonation, roles, and the kinds that are questions."""
