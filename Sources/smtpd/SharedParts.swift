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

    /// May another message begin? (RFC 1870 §6.1: the refusal comes before the content is sent.)
    func mayBegin() -> ServerAnswer.Sender {
        if intake.isFull { return .temporary(.diskIsFull) }
        return intake.isBehind ? .temporary(.diskIsSlow) : .accepted
    }
}
