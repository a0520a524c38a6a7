// A stored password in one text form each, with its scheme in front: what the database holds and imports bring.
//
//     SCRAM-SHA-256$4096:<salt>$<StoredKey>:<ServerKey>     (RFC 5803 §2)
//     {CRYPT}$6$…    {SSHA256}<Base64 of digest and salt>    {PLAIN}secret

import CLinux
import Crypto
import Kernel
package import SASLProtocol

/// How an account proves itself.
package enum Secret: Hashable, Sendable {
    /// RFC 5802 §3; the only kind that we make, and the only one that SCRAM can use.
    case scram(salt: [UInt8], iterations: Int, storedKey: [UInt8], serverKey: [UInt8])
    /// A hash of crypt(3), imported as it was.
    case crypt([UInt8])
    /// A digest of password and salt, imported as it was; `scheme` is one of `{SHA}` … `{SSHA512}`.
    case digest(DigestScheme, digest: [UInt8], salt: [UInt8])
    /// The password itself: only if an administrator insisted.
    case plain([UInt8])

    package enum DigestScheme: String, Hashable, Sendable, CaseIterable {
        case sha = "SHA"
        case ssha = "SSHA"
        case sha256 = "SHA256"
        case ssha256 = "SSHA256"
        case sha512 = "SHA512"
        case ssha512 = "SSHA512"

        var digestLength: Int {
            switch self {
            case .sha, .ssha: 20
            case .sha256, .ssha256: 32
            case .sha512, .ssha512: 64
            }
        }
        var isSalted: Bool { rawValue.hasPrefix("SS") }
    }

    /// RFC 7677 §4 demands 4096 at least.
    package static let defaultIterations = 4096
    /// A verifier that asks for more would let one login occupy a thread for seconds.
    package static let maximumIterations = 1_000_000

    /// Makes the verifier of a password with fresh salt.
    package static func scram(password: [UInt8], salt: [UInt8], iterations: Int = defaultIterations) -> Secret {
        Secret(ScramVerifier(password: password, salt: salt, iterations: iterations, hashes: .crypto))
    }

    /// The digest of a password that is random enough to need no slow derivation: an app password of ours.
    package static func salted(password: [UInt8], salt: [UInt8]) -> Secret {
        .digest(.ssha256, digest: DigestScheme.ssha256.digest(password + salt), salt: salt)
    }

    package init(_ verifier: ScramVerifier) {
        self = .scram(
            salt: verifier.salt, iterations: verifier.iterations, storedKey: verifier.storedKey, serverKey: verifier.serverKey)
    }

    var verifier: ScramVerifier? {
        guard case .scram(let salt, let iterations, let storedKey, let serverKey) = self else { return nil }
        return ScramVerifier(salt: salt, iterations: iterations, storedKey: storedKey, serverKey: serverKey)
    }

    /// Whether `password` is the one; as slow as the scheme is, whatever the answer.
    func matches(_ password: [UInt8]) -> Bool {
        switch self {
        case .scram: verifier.map { $0.matches(password: password, hashes: .crypto) } ?? false
        case .crypt(let hash): cryptHash(of: password, by: hash).map { equalsInConstantTime($0, hash) } ?? false
        case .digest(let scheme, let digest, let salt): equalsInConstantTime(scheme.digest(password + salt), digest)
        case .plain(let text):
            // Hashed first: then the comparison says nothing about the length either.
            equalsInConstantTime(HashFunctions.crypto.sha256(password), HashFunctions.crypto.sha256(text))
        }
    }
}

extension Secret.DigestScheme {
    fileprivate func digest(_ message: [UInt8]) -> [UInt8] {
        switch self {
        case .sha, .ssha: Array(Insecure.SHA1.hash(data: message))
        case .sha256, .ssha256: Array(SHA256.hash(data: message))
        case .sha512, .ssha512: Array(SHA512.hash(data: message))
        }
    }
}

/// crypt(3); nil if the phrase cannot be one or libcrypt does not understand the setting.
private func cryptHash(of password: [UInt8], by setting: [UInt8]) -> [UInt8]? {
    // libcrypt takes 511 bytes, and a NUL would cut the phrase short.
    guard !password.contains(0), password.count < 512, !setting.contains(0) else { return nil }
    var out = [CChar](repeating: 0, count: 384)
    let result = Path(password).withCString { phrase in
        Path(setting).withCString { setting in martlet_crypt(phrase, setting, &out, out.count) }
    }
    guard result == 0 else { return nil }
    return out.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
}

func cryptUnderstands(_ setting: [UInt8]) -> Bool {
    !setting.isEmpty && !setting.contains(0) && Path(setting).withCString { martlet_crypt_understands($0) } == 1
}
