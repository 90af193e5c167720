"""DSSE envelopes signed with Ed25519, and their keys; needs the extra `sign`.

Only `attestation` imports this module, when a key is used.
"""

import base64
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from pytest_fairness.errors import AttestationError, SigningKeyError
from pytest_fairness.files import parse_json, read_regular

__all__ = ["Sealed", "open_envelope", "read_private_key", "read_public_key", "seal", "signed_bytes"]


class Sealed(NamedTuple):
    """Contents of an envelope: the kind of its payload, and the payload."""

    kind: str
    body: bytes


def signed_bytes(sealed: Sealed) -> bytes:
    """Return what is signed: the kind and the body, each with its length.

    Source: DSSE protocol v1.0, pre-authentication encoding.

    Example:
        >>> signed_bytes(Sealed("http://example.com/HelloWorld", b"hello world"))
        b'DSSEv1 29 http://example.com/HelloWorld 11 hello world'
    """
    kind = sealed.kind.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(sealed.body), sealed.body)


def seal(sealed: Sealed, key: Ed25519PrivateKey) -> str:
    """Return a signed envelope as JSON.

    The key's id, a hint for its finder, is the sha256 of the DER encoding of the public key.
    """
    signature = {
        "keyid": _key_id(key.public_key()),
        "sig": base64.b64encode(key.sign(signed_bytes(sealed))).decode(),
    }
    envelope = {
        "payload": base64.b64encode(sealed.body).decode(),
        "payloadType": sealed.kind,
        "signatures": [signature],
    }
    return json.dumps(envelope, indent=2) + "\n"


def open_envelope(path: Path, key: Ed25519PublicKey) -> Sealed:
    """Return what an envelope holds, if it was signed with this key.

    Raises:
        AttestationError: The file is missing or no envelope, or no signature is by this key.
    """
    sealed, signatures = _read_envelope(path)
    if not any(_is_by(key, signature, sealed) for signature in signatures):
        msg = (
            f"{path}: no signature by the key {_key_id(key)[:12]} fits; the statement was changed "
            "after it was signed, or was signed with another key"
        )
        raise AttestationError(msg)
    return sealed


def _read_envelope(path: Path) -> tuple[Sealed, list[bytes]]:
    try:
        envelope: Any = parse_json(read_regular(path))
        signatures = [_decode(one["sig"]) for one in envelope["signatures"]]
        return Sealed(envelope["payloadType"], _decode(envelope["payload"])), signatures
    except OSError as error:
        msg = (
            f"{path}: the signed statement cannot be read: {error.strerror}; a run writes it beside "
            "its record with --fairness-sign"
        )
        raise AttestationError(msg) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        msg = f"{path}: not a signed envelope (DSSE): {type(error).__name__}: {error}"
        raise AttestationError(msg) from error


def _decode(text: str) -> bytes:
    """Decode base64, of which DSSE allows the standard and the URL-safe alphabet."""
    return base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)


def _is_by(key: Ed25519PublicKey, signature: bytes, sealed: Sealed) -> bool:
    try:
        key.verify(signature, signed_bytes(sealed))
    except InvalidSignature:
        return False
    return True


def _key_id(key: Ed25519PublicKey) -> str:
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()


def read_private_key(path: Path) -> Ed25519PrivateKey:
    """Read a private Ed25519 key from a PEM file.

    Raises:
        SigningKeyError: The file cannot be read, is encrypted, or holds another kind of key.
    """
    key = _load(path, lambda pem: load_pem_private_key(pem, None), "private")
    if not isinstance(key, Ed25519PrivateKey):
        raise _other_key(path, key, "private")
    return key


def read_public_key(path: Path) -> Ed25519PublicKey:
    """Read a public Ed25519 key from a PEM file.

    Raises:
        SigningKeyError: The file cannot be read, or holds another kind of key.
    """
    key = _load(path, load_pem_public_key, "public")
    if not isinstance(key, Ed25519PublicKey):
        raise _other_key(path, key, "public")
    return key


def _load(path: Path, load: Callable[[bytes], object], kind: str) -> object:
    try:
        return load(read_regular(path))
    except OSError as error:
        msg = f"{path}: the key cannot be read: {error.strerror}; {_wish(kind)}"
        raise SigningKeyError(msg) from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        msg = f"{path}: not a {kind} key that can be used; {_wish(kind)}"
        raise SigningKeyError(msg) from error


def _other_key(path: Path, key: object, kind: str) -> SigningKeyError:
    return SigningKeyError(f"{path}: holds a {type(key).__name__}; {_wish(kind)}")


def _wish(kind: str) -> str:
    return f"give a PEM file with a {kind} Ed25519 key that is not encrypted"
