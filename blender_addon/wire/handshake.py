"""The two proofs: each side shows that it knows the token, and the token is never sent.

A connection without a token, which most are, does not pay for the import of what proofs need.
"""

from __future__ import annotations

import os


def new_nonce() -> str:
    """32 hexadecimal digits from the system's random source."""
    return os.urandom(16).hex()


def server_proof(token: str, client_nonce: str, server_nonce: str) -> str:
    """What the server sends in `challenge`."""
    return _proof(token, f"server:{client_nonce}:{server_nonce}")


def client_proof(token: str, client_nonce: str, server_nonce: str) -> str:
    """What the client sends in `auth`, after it has verified the server's."""
    return _proof(token, f"client:{client_nonce}:{server_nonce}")


def same_proof(expected: str, given: str) -> bool:
    """Compare in constant time."""
    import hmac  # noqa: PLC0415  # for start-up time

    return hmac.compare_digest(expected.encode(), given.lower().encode())


def _proof(token: str, message: str) -> str:
    import hashlib  # noqa: PLC0415  # for start-up time
    import hmac  # noqa: PLC0415  # for start-up time

    return hmac.new(token.strip().encode("utf-8"), message.encode("ascii"), hashlib.sha256).hexdigest()
