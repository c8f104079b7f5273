"""What a call to the API server may end in besides its answer: nobody there, or cut off."""

from __future__ import annotations

import aiohttp

UNREACHABLE = (OSError, aiohttp.ClientError)
"""Caught wherever a kubelet goes on and tries again."""
