"""The client's side of SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, 7677, 5929), as a test needs it: also the wrong ways."""
import base64
import hashlib
import hmac
import os


def end_point(certificate):
    """tls-server-end-point of a certificate that was signed with SHA-256."""
    return hashlib.sha256(certificate).digest()


class Scram:
    """One exchange. `header`: `n,,`, `y,,` or `p=tls-server-end-point,,`; `binding`: what follows it in `c=`."""

    def __init__(self, name, password, header="n,,", binding=b""):
        self.password, self.header, self.binding = password.encode(), header.encode(), binding
        self.bare = b"n=" + name.encode() + b",r=" + base64.b64encode(os.urandom(18))

    def first(self):
        return self.header + self.bare

    def final(self, challenge):
        """The answer to the server's first message."""
        fields = dict(f.split(b"=", 1) for f in challenge.split(b","))
        salted = hashlib.pbkdf2_hmac("sha256", self.password, base64.b64decode(fields[b"s"]), int(fields[b"i"]))
        key = hmac.digest(salted, b"Client Key", "sha256")
        without = b"c=" + base64.b64encode(self.header + self.binding) + b",r=" + fields[b"r"]
        text = b",".join((self.bare, challenge, without))
        signature = hmac.digest(hashlib.sha256(key).digest(), text, "sha256")
        self.proof = b"v=" + base64.b64encode(hmac.digest(hmac.digest(salted, b"Server Key", "sha256"), text, "sha256"))
        return without + b",p=" + base64.b64encode(bytes(a ^ b for a, b in zip(key, signature)))
