// The cryptography of SCRAM, by swift-crypto (BoringSSL).

import Crypto
import CryptoExtras
package import SASLProtocol

extension HashFunctions {
    /// SHA-256, HMAC and PBKDF2 of swift-crypto.
    package static let crypto = HashFunctions(
        sha256: { Array(SHA256.hash(data: $0)) },
        hmacSHA256: { Array(HMAC<SHA256>.authenticationCode(for: $1, using: SymmetricKey(data: $0))) },
        pbkdf2SHA256: { password, salt, iterations in
            let key = try? KDF.Insecure.PBKDF2.deriveKey(
                from: password, salt: salt, using: .sha256, outputByteCount: 32, unsafeUncheckedRounds: max(1, iterations))
            // It fails for want of memory alone; no stored key is empty, so nothing matches this.
            return key.map { $0.withUnsafeBytes { Array($0) } } ?? []
        })
}
