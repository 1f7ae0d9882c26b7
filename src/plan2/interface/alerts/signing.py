"""How a webhook proves that it comes from us and is not an old one sent again.

    X-Plan2-Id         the same for every try of the same message
    X-Plan2-Timestamp  seconds since the epoch, UTC; receivers refuse what is older than 5 minutes
    X-Plan2-Signature  v1=<hex HMAC-SHA256 of "<timestamp>.<id>.<body>" with the channel's secret>

The receiver computes the same and compares in constant time; `docs/alerts.md` shows how.
"""

import hashlib
import hmac

from plan2.foundation.secret import Secret


def signed_headers(secret: Secret, message_id: str, at_s: int, body: bytes) -> dict[str, str]:
    """The headers of one try."""
    signed = f"{at_s}.{message_id}.".encode() + body
    digest = hmac.new(secret.reveal().encode(), signed, hashlib.sha256).hexdigest()
    return {
        "X-Plan2-Id": message_id,
        "X-Plan2-Timestamp": str(at_s),
        "X-Plan2-Signature": f"v1={digest}",
    }
