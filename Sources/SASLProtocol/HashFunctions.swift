// The cryptography that SCRAM needs, given from outside: this target links no library for it.

/// Hash functions as values; L2 fills them from swift-crypto, tests from a plain implementation.
package struct HashFunctions: Sendable {
    package let sha256: @Sendable (_ message: [UInt8]) -> [UInt8]
    package let hmacSHA256: @Sendable (_ key: [UInt8], _ message: [UInt8]) -> [UInt8]
    /// `Hi` of RFC 5802 §2.2, 32 bytes. Slow by design: only for clients and for making verifiers.
    package let pbkdf2SHA256: @Sendable (_ password: [UInt8], _ salt: [UInt8], _ iterations: Int) -> [UInt8]

    package init(
        sha256: @escaping @Sendable ([UInt8]) -> [UInt8],
        hmacSHA256: @escaping @Sendable ([UInt8], [UInt8]) -> [UInt8],
        pbkdf2SHA256: @escaping @Sendable ([UInt8], [UInt8], Int) -> [UInt8]
    ) {
        self.sha256 = sha256
        self.hmacSHA256 = hmacSHA256
        self.pbkdf2SHA256 = pbkdf2SHA256
    }
}

/// Compares secrets in a time that depends on their length alone.
package func equalsInConstantTime(_ a: [UInt8], _ b: [UInt8]) -> Bool {
    guard a.count == b.count else { return false }
    var difference: UInt8 = 0
    for index in a.indices { difference |= a[index] ^ b[index] }
    return difference == 0
}

func exclusiveOr(_ a: [UInt8], _ b: [UInt8]) -> [UInt8] { zip(a, b).map { $0 ^ $1 } }
