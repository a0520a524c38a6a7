// Where a recipient leads, by the newest address snapshot. Whatever is wrong with it, the mail waits.

import Configuration
import Directory
import Kernel
import MailModel

/// The router and the snapshot that it asks.
struct RoutingDirectory {
    let router: Router
    let snapshot: AddressSnapshot

    init(_ configuration: Configuration) {
        let separator = configuration.routing.subaddressSeparator.map { [$0.byte] } ?? []
        router = Router(
            postmaster: configuration.postmaster, separators: separator,
            limits: Router.Limits(depth: configuration.limits.aliasDepth, results: configuration.limits.aliasResults))
        snapshot = AddressSnapshot(folder: configuration.paths.directory)
    }

    /// `origin`: who took the message in. smtpd may not relay, whatever a captured one writes down: what it accepts is for
    /// domains of ours, from where an alias or a route may lead on.
    func route(_ recipient: [UInt8], from origin: QueueOrigin, now: MonotonicTime) -> Routed {
        guard let address = EmailAddress(parsing: recipient) else {
            return .routed([], refusal: (EnhancedStatus(.permanent, 1, 3), Array("not a mail address".utf8)))
        }
        do throws(DirectoryUnavailable) {
            snapshot.refresh(at: now)
            if origin == .smtpd, try !snapshot.domain(address.domain).isLocal {
                return .routed([], refusal: (EnhancedStatus(.permanent, 7, 1), Array("smtpd takes in no mail for other domains".utf8)))
            }
            switch try router.route(address, in: snapshot) {
            case .held(let refusal): return .unavailable(reason: refusal.reason.rawValue)
            case .routed(let route): return routed(route, address)
            }
        } catch {
            return .unavailable(reason: "\(error)")
        }
    }

    /// The configured next hop of a copy, as it stands now.
    func nextHop(_ destination: Destination, now: MonotonicTime) -> NextHopAnswer {
        guard case .remote(let address) = destination else { return .own }
        snapshot.refresh(at: now)
        do throws(DirectoryUnavailable) {
            return try snapshot.domain(address.domain).route.map { .route(Array($0.description.utf8)) } ?? .own
        } catch {
            return .unavailable
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

/// Where the last hop of a copy leads.
enum NextHopAnswer {
    case route([UInt8])
    /// The domain's own servers, or a mailbox.
    case own
    /// The directory cannot be read: the copy waits.
    case unavailable
}
