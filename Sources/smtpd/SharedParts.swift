// What all sessions of a service share.

import Configuration
import Connection
import Directory
import Kernel
import MailModel
import SMTPProtocol

/// Made once, before the first connection.
struct SharedParts: Sendable {
    let session: ServerConfiguration
    let intake: Intake
    let directory: RecipientDirectory
    let authenticators: AuthenticatorPool
    let workers: WorkerPool
    let trace: TraceField
    let commandTimeout: Duration
    let failureDelay: Duration
    let plaintext: AllowPlaintext

    func allowsPlaintext(from peer: SocketName) -> Bool {
        switch plaintext {
        case .never: false
        case .loopback: peer.address.starts(with: "127.".utf8) || peer.address.elementsEqual("::1".utf8)
        case .always: true
        }
    }

    /// May another message begin? (RFC 1870 §6.1: 452 before the content is sent.)
    func mayBegin(size: Int?) -> ServerAnswer.Sender {
        intake.isFull
            ? .temporary(Reply(452, EnhancedStatus(.temporary, 3, 1), "insufficient system storage, try again later")) : .accepted
    }
}

/// Who is ours, asked on the loop: a look-up takes microseconds.
///
/// Sendable: made before the service's one loop starts, and used on that loop only from then on.
final class RecipientDirectory: @unchecked Sendable {
    private let router: Router
    private let snapshot: AddressSnapshot

    init(_ configuration: Configuration) {
        router = Router(
            postmaster: configuration.postmaster, separators: configuration.routing.subaddressSeparator.map { [$0.byte] } ?? [])
        snapshot = AddressSnapshot(folder: configuration.paths.directory)
    }

    func recipient(_ address: EmailAddress) -> ServerAnswer.Recipient {
        snapshot.refresh(at: .now())
        switch router.deliverability(of: address, in: snapshot) {
        case .local: return .local
        case .remote: return .remote
        case .unavailable: return .unavailable
        case .refused(let refusal):
            if refusal.reason == .noSuchAddress { return .unknown }
            let code = refusal.status.statusClass == .permanent ? 550 : 450
            return .refused(Reply(code, refusal.status, refusal.reason.rawValue))
        }
    }
}
