// The passwords for hosts that a route or the smarthost names: read at each attempt, so that a changed one holds at once.

import Configuration
import Connection
import Crypto
import Kernel
import MailModel
import SASLProtocol
import SMTPProtocol

/// What the file of passwords says of a host.
enum RelayLogin: Sendable {
    case none
    case found(RelayPassword)
    /// It cannot be read, or is not in order: mail waits, because without a password the host may refuse it for good.
    case unavailable(String)
}

struct RelayBook: Sendable {
    let folder: Path

    private static let name: Path = "passwords"

    /// Blocks on the disk; for a worker thread.
    func login(for target: Target, from sender: ReversePath) -> RelayLogin {
        guard target.isNamed, target.socket.port > 0 else { return .none }
        do throws(KernelError) {
            let place = try DirectoryDescriptor(opening: folder)
            guard try place.status(of: RelayBook.name).mode & 0o007 == 0 else {
                return .unavailable("the file of relay passwords may be read by everybody: chmod o= \(folder / RelayBook.name)")
            }
            guard let all = RelayPassword.parse(try place.contents(of: RelayBook.name, limit: RelayPassword.longestFile)) else {
                return .unavailable("a line of the file of relay passwords cannot be read: write it with mailctl relay-password set")
            }
            let found = RelayPassword.best(of: all, for: target.host, port: target.socket.port, sender: sender.address?.domain)
            return found.map(RelayLogin.found) ?? .none
        } catch {
            return error.isMissing ? .none : .unavailable("""
                the file of relay passwords cannot be read: \(error); restart remoted if \(folder) was made after it began
                """)
        }
    }
}

extension ClientConfiguration.Credentials {
    /// A login with a nonce of its own (RFC 5802 §5.1).
    init(_ login: RelayPassword) {
        var generator = SystemRandomNumberGenerator()
        let nonce = Base64.encode((0..<18).map { _ in UInt8.random(in: 0...255, using: &generator) })
        self.init(name: login.user, password: login.password, hashes: .client, nonce: nonce)
    }
}

extension HashFunctions {
    /// SHA-256 and HMAC of swift-crypto, and PBKDF2 made of them.
    fileprivate static let client = HashFunctions(
        sha256: { Array(SHA256.hash(data: $0)) },
        hmacSHA256: { Array(HMAC<SHA256>.authenticationCode(for: $1, using: SymmetricKey(data: $0))) },
        pbkdf2SHA256: { password, salt, iterations in
            let key = SymmetricKey(data: password)
            var block = Array(HMAC<SHA256>.authenticationCode(for: salt + [0, 0, 0, 1], using: key))
            var sum = block
            for _ in 1..<max(2, iterations) where iterations > 1 {
                block = Array(HMAC<SHA256>.authenticationCode(for: block, using: key))
                for index in sum.indices { sum[index] ^= block[index] }
            }
            return sum
        })
}
