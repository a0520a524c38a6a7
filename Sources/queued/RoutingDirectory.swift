// Where a recipient leads, by the newest address snapshot. Whatever is wrong with it, the mail waits.

import Configuration
import Directory
import Kernel
import MailModel

/// The router and the snapshot that it asks.
struct RoutingDirectory {
    let router: Router
    let snapshot: AddressSnapshot
    /// Mail that is led to another domain goes on under an address of ours (`routing.srs`).
    let rewritesSenders: Bool
    let host: Domain

    init(_ configuration: Configuration) {
        let separator = configuration.routing.subaddressSeparator.map { [$0.byte] } ?? []
        router = Router(
            postmaster: configuration.postmaster, separators: separator,
            limits: Router.Limits(depth: configuration.limits.aliasDepth, results: configuration.limits.aliasResults))
        snapshot = AddressSnapshot(folder: configuration.paths.directory)
        rewritesSenders = configuration.routing.srs
        host = configuration.hostname
    }

    /// smtpd may not relay, whatever a captured one writes down: what it accepts is for domains of ours, from where an alias or a
    /// route may lead on, or a notice about mail that was forwarded.
    func route(_ recipient: [UInt8], of message: OpenMessage, now: MonotonicTime) -> Routed {
        guard let address = EmailAddress(parsing: recipient) else {
            return .routed([], refusal: (EnhancedStatus(.permanent, 1, 3), Array("not a mail address".utf8)))
        }
        do throws(DirectoryUnavailable) {
            snapshot.refresh(at: now)
            if message.id.origin == .smtpd, !message.archives.contains(recipient), try !snapshot.domain(address.domain).isLocal {
                return .routed([], refusal: (EnhancedStatus(.permanent, 7, 1), Array("smtpd takes in no mail for other domains".utf8)))
            }
            let returned = message.sender.isEmpty ? try snapshot.forwardedSender(behind: address, day: Int(WallTime.now().seconds / 86400)) : nil
            switch try router.route(returned ?? address, in: snapshot) {
            case .held(let refusal): return .held(reason: refusal.reason.rawValue)
            case .routed(let route): return routed(route, address)
            }
        } catch {
            return .unavailable(reason: "\(error)")
        }
    }

    private func routed(_ route: Route, _ recipient: EmailAddress) -> Routed {
        var destinations = route.accounts.map {
            (destination: Destination.account(folder: $0.account.folder.bytes, address: $0.account.address), path: explain($0.path))
        }
        destinations += route.remotes.map { (destination: Destination.remote($0.address), path: explain($0.path)) }
        if let first = route.refusals.first {
            let reasons = route.refusals.map { "\($0.address): \($0.reason.rawValue)" }.joined(separator: "; ")
            return .routed(destinations, refusal: (first.status, Array(reasons.utf8)))
        }
        if destinations.isEmpty {
            return .routed([], refusal: (EnhancedStatus(.permanent, 4, 6), Array("aliases lead back to themselves".utf8)))
        }
        return .routed(destinations, refusal: nil)
    }

    /// `team@example.org>bob@example.org`; nothing for an address that is its own account.
    private func explain(_ path: AliasPath) -> [UInt8] {
        path.count < 2 ? [] : Array(path.map { $0.address.wire }.joined(separator: [UInt8(ascii: ">")]))
    }
}
