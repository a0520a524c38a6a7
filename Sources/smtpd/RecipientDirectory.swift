// Who is ours, asked on the loop: a look-up takes microseconds.

import Configuration
import Directory
import Kernel
import MailModel
import SMTPProtocol

/// The answers to RCPT, by the rules by which queued will route.
///
/// Sendable: handed to the service's one loop when it is whole, and used on that loop only from then on.
final class RecipientDirectory: @unchecked Sendable {
    private let router: Router
    private let snapshot: AddressSnapshot
    private let hostname: Domain

    init(_ configuration: Configuration) {
        router = Router(
            postmaster: configuration.postmaster, separators: configuration.routing.subaddressSeparator.map { [$0.byte] } ?? [],
            limits: Router.Limits(depth: configuration.limits.aliasDepth, results: configuration.limits.aliasResults))
        snapshot = AddressSnapshot(folder: configuration.paths.directory)
        hostname = configuration.hostname
    }

    /// `sender`: who is told what becomes of it; a notice may come for the sender of mail that was forwarded, and nothing else may.
    func recipient(_ address: EmailAddress, from sender: ReversePath? = nil) -> ServerAnswer.Recipient {
        snapshot.refresh(at: .now())
        do throws(DirectoryUnavailable) {
            if sender == .null, try snapshot.forwardedSender(behind: address, day: Int(WallTime.now().seconds / 86400)) != nil { return .local }
        } catch {
            return .unavailable
        }
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

    /// Whom a bare `<postmaster>` means; nil while there is nobody, or the directory cannot be read (RFC 5321 §4.5.1).
    ///
    /// It is who gets the mail that concerns this host; unless one is configured, the postmaster of the nearest domain
    /// of ours that the host name belongs to, or else of the first of our domains.
    func postmaster() -> EmailAddress? {
        snapshot.refresh(at: .now())
        if let named = router.postmaster {
            switch router.deliverability(of: named, in: snapshot) {
            case .local, .remote: return named
            case .unavailable, .refused: break
            }
        }
        let own = (try? snapshot.localDomain()).map { [$0] } ?? []
        return (Array(hostname.withParents) + own).lazy.compactMap { EmailAddress(localPart: Array("postmaster".utf8), domain: $0) }
            .first { self.router.deliverability(of: $0, in: self.snapshot) == .local }
    }
}

extension Domain {
    /// The domain, then each that it lies in: `mx.example.org`, `example.org`, `org`.
    fileprivate var withParents: some Sequence<Domain> {
        sequence(first: self) { Domain(parsing: $0.bytes.drop { $0 != UInt8(ascii: ".") }.dropFirst()) }
    }
}
