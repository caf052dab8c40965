"""The two proofs: each side shows that it knows the token, and the token is never sent."""

from __future__ import annotations

import hashlib
import hmac
import secrets


def new_nonce() -> str:
    """32 hexadecimal digits from the system's random source."""
    return secrets.token_hex(16)


def server_proof(token: str, client_nonce: str, server_nonce: str) -> str:
    """What the server sends in `challenge`."""
    return _proof(token, f"server:{client_nonce}:{server_nonce}")


def client_proof(token: str, client_nonce: str, server_nonce: str) -> str:
    """What the client sends in `auth`, after it has verified the server's."""
    return _proof(token, f"client:{client_nonce}:{server_nonce}")


def same_proof(expected: str, given: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(expected.encode(), given.lower().encode())


def _proof(token: str, message: str) -> str:
    return hmac.new(token.strip().encode("utf-8"), message.encode("ascii"), hashlib.sha256).hexdigest()
