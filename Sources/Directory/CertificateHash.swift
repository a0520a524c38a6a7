// What a login is bound to: the server's certificate by its hash (RFC 5929 §4.1).

import Crypto
package import SASLProtocol

/// The SHA-2 hash of a certificate's DER; `bits` is 256, 384 or 512, anything else gives none.
package func certificateHash(bits: Int, _ der: [UInt8]) -> [UInt8] {
    switch bits {
    case 256: Array(SHA256.hash(data: der))
    case 384: Array(SHA384.hash(data: der))
    case 512: Array(SHA512.hash(data: der))
    default: []
    }
}

extension ChannelBinding {
    /// `tls-server-end-point`, or nil where the connection has none.
    package static func serverEndPoint(_ hash: [UInt8]) -> ChannelBinding? {
        hash.isEmpty ? nil : ChannelBinding(type: Array("tls-server-end-point".utf8), data: hash)
    }
}
